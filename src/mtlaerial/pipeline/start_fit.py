"""Check of the weights that a training begins with, before its tiles are prepared."""

from collections.abc import Sequence

from mtlaerial.config import NetworkSpec
from mtlaerial.config.start import WEIGHT_FILES
from mtlaerial.pipeline.start import Start


def require_fitting_start(start: Start, model: NetworkSpec, bands: Sequence[str]) -> None:
    """Refuse a file of weights that is damaged, of another encoder, or does not know a band of the image.

    Parameters
    ----------
    start : Start
        The file is there; nothing is checked of the folder of a run.
    model : NetworkSpec
        With initial weights.
    bands : sequence of str
        Names of the bands of the image.

    Raises
    ------
    ConfigError, DataError
    """
    if start.path.suffix not in WEIGHT_FILES or model.start is None:
        return
    from mtlaerial.models.bands import band_sources
    from mtlaerial.models.published.weights_file import read_encoder_weights

    expected = read_encoder_weights(start.path, model.encoder_name).facts.input
    if expected:
        band_sources(expected.bands, bands, model.start.new_bands)

"""Check of the weights that a training begins with, before its tiles are prepared."""

from collections.abc import Sequence

from mtlaerial.pipeline.start import Start
from mtlaerial.runs.initial_weights_check import require_usable_weights
from mtlaerial.runs.plan import RunPlan
from mtlaerial.runs.run import load_description
from mtlaerial.runs.start import is_run


def require_fitting_start(start: Start, plan: RunPlan, bands: Sequence[str]) -> None:
    """Refuse weights that are damaged, of another encoder or network, or of a run without a task, or lack a band.

    Parameters
    ----------
    start : Start
        The file, or the run, is there; published weights may still be to be fetched.
    plan : RunPlan
        Its model has initial weights.
    bands : sequence of str
        Names of the bands of the image.

    Raises
    ------
    ConfigError, DataError
    """
    model = plan.model
    if model.start is None:
        return
    if is_run(start.path):
        description = load_description(start.path)
        run_bands = [band.name for band in description.statistics.bands]
        require_usable_weights(start.path, description.plan, run_bands, plan, bands)
        return
    from mtlaerial.models.published.form import published_form
    from mtlaerial.models.published.loading import published_band_sources
    from mtlaerial.models.published.weights_file import read_encoder_weights

    if start.published:
        expected = published_form(start.published.encoder).expected(start.published.input)
    else:
        expected = read_encoder_weights(start.path, model.encoder_name).facts.input
    published_band_sources(expected, bands, model.start.new_bands)

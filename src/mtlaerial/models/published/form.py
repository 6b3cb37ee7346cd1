"""Forms of published weights: how those of an encoder are converted, and the image that they expect."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from mtlaerial.config.sources import PUBLISHED, WeightsInput


@dataclass(frozen=True)
class PublishedForm:
    """Form of the published weights of an encoder; the registry ``PUBLISHED`` names one by encoder.

    Attributes
    ----------
    convert : callable
        Takes the published tensors by name and returns those of the encoder by name. It raises a
        :class:`mtlaerial.errors.DataError`, whose ``where`` is the tensor's name, when one is missing or has another
        shape.
    input : WeightsInput, optional
        The image that the weights expect; None where the encoder's first convolution is not among them.
    absent : tuple of str
        Prefixes of the encoder's tensors that the published weights lack.
    """

    convert: Callable[[Mapping[str, Tensor]], dict[str, Tensor]]
    input: WeightsInput | None
    absent: tuple[str, ...] = ()

    def expected(self, stated: WeightsInput | None) -> WeightsInput | None:
        """Return the image that weights of this form expect, where it may be stated for a certain file."""
        return stated or self.input if self.input else None


def published_form(encoder: str) -> PublishedForm:
    """Return the form of an encoder's published weights.

    Parameters
    ----------
    encoder : str
        Its identity, see :class:`mtlaerial.config.encoder.EncoderSpec`.

    Raises
    ------
    ConfigError
        When none is registered, or another package registers something else.
    """
    name, _, model = encoder.partition("/")
    registered = PUBLISHED.load(name)
    form = registered(model) if model else registered
    if not isinstance(form, PublishedForm):
        expected = f"a {PublishedForm.__module__}.{PublishedForm.__qualname__}"
        raise PUBLISHED.registered_wrongly(name, f"a {type(form).__qualname__}", expected)
    return form


def band_scaling(expected: WeightsInput, sources: list[str]) -> tuple[list[float], list[float]]:
    """Return scale and shift of each band that bring an image in [-1, 1] to the values that weights expect.

    Parameters
    ----------
    expected : WeightsInput
    sources : list of str
        For each band of the image the band of the weights that it takes after; for any other word the mean over all.

    Examples
    --------
    >>> band_scaling(WeightsInput(bands=("red",), mean=(127.0,), deviation=(128.0,)), ["red"])
    ([0.99609375], [0.00390625])
    """
    # v = (x + 1) * 127.5 for x in [-1, 1], and (v - mean) / deviation is expected.
    pairs = zip(expected.mean, expected.deviation, strict=True)
    values = [(127.5 / deviation, (127.5 - mean) / deviation) for mean, deviation in pairs]
    by_band = dict(zip(expected.bands, values, strict=True))
    mean_scale, mean_shift = (sum(column) / len(values) for column in zip(*values, strict=True))
    chosen = [by_band.get(source, (mean_scale, mean_shift)) for source in sources]
    return [scale for scale, _ in chosen], [shift for _, shift in chosen]

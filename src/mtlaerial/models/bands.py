"""Adaptation of a first convolution to the bands of another image."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mtlaerial.errors import ConfigError

MEAN = "mean"
"""Word for the mean of the kernels of all bands that the weights know."""
ZERO = "zero"
"""Word for kernels of zeros: the network sees the band only once it has learned to."""
WORDS = (MEAN, ZERO)
KEY = "models.NAME.pretrained.new_bands"


def adapt_kernels(
    kernels: Tensor, weight_bands: Sequence[str], bands: Sequence[str], new_bands: Mapping[str, str] | None = None
) -> Tensor:
    """Return the kernels of a first convolution for an image with other bands.

    Bands are matched by name, and each takes the kernels of its namesake; a band that the weights do not know takes
    what ``new_bands`` says. Then all kernels are multiplied by the number of the weights' bands over the number of
    bands that are not zero. Where a new band is not a mean, or a band of the weights is absent, this alone would give
    filters that compare bands an answer to brightness; so what the sum over bands still lacks is added to all bands
    that are not zero, in equal parts. An image whose bands are equal gives the same features as before.

    Parameters
    ----------
    kernels : Tensor, shape (channels, bands of the weights, rows, columns)
    weight_bands : sequence of str
        Names of the bands of the weights, in their order.
    bands : sequence of str
        Names of the bands of the image, in their order.
    new_bands : mapping of str to str, optional
        What the kernels of a band are that the weights do not know: ``mean`` of those of all bands of the weights,
        ``zero``, or those of a band of the weights, by name.

    Returns
    -------
    Tensor, shape (channels, bands of the image, rows, columns)
        Of the dtype of ``kernels``; the very values where the image has the bands of the weights, in whatever order.

    Raises
    ------
    ConfigError
        When the weights do not know a band and ``new_bands`` does not say what to do, when ``new_bands`` names a band
        that needs no rule or an unknown rule, or when all bands are zero.

    Examples
    --------
    >>> kernels = torch.tensor([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1)
    >>> adapt_kernels(kernels, ["red", "green", "blue"], ["blue", "green", "red", "nir"], {"nir": "mean"}).flatten()
    tensor([2.2500, 1.5000, 0.7500, 1.5000])
    """
    sources = band_sources(weight_bands, bands, new_bands)
    if sorted(sources) == sorted(weight_bands):
        return kernels[:, [weight_bands.index(source) for source in sources]].clone()
    exact = kernels.double()
    total = exact.sum(1, keepdim=True)
    by_source = {name: exact[:, number] for number, name in enumerate(weight_bands)}
    by_source |= {MEAN: exact.mean(1), ZERO: torch.zeros_like(exact[:, 0])}
    adapted = torch.stack([by_source[source] for source in sources], dim=1)
    filled = [number for number, source in enumerate(sources) if source != ZERO]
    adapted *= len(weight_bands) / len(filled)
    adapted[:, filled] += (total - adapted.sum(1, keepdim=True)) / len(filled)
    return adapted.to(kernels.dtype)


def band_sources(
    weight_bands: Sequence[str], bands: Sequence[str], new_bands: Mapping[str, str] | None = None
) -> list[str]:
    """Return what each band of the image takes: the name of a band of the weights, ``mean`` or ``zero``.

    Parameters and errors are those of :func:`adapt_kernels`.
    """
    new_bands = new_bands or {}
    if len(set(weight_bands)) < len(weight_bands):
        problem = f"weights of the bands {', '.join(weight_bands)}"
        raise ConfigError(KEY, problem, "bands that their names tell apart", "Choose other weights.")
    _require_new(weight_bands, bands, new_bands)
    sources = [band if band in weight_bands else _source(band, weight_bands, new_bands) for band in bands]
    if set(sources) == {ZERO}:
        expected = "a band with weights that are not zero, without which the encoder sees nothing"
        raise ConfigError(KEY, f"{ZERO} for all bands", expected, f"Give one of them {MEAN}, or the name of a band.")
    return sources


def _source(band: str, weight_bands: Sequence[str], new_bands: Mapping[str, str]) -> str:
    choices = ", ".join([*WORDS, *weight_bands])
    if band not in new_bands:
        problem = f"no entry for the band {band} of the image, and weights that know {', '.join(weight_bands)}"
        remedy = f"Write new_bands: {{{band}: {MEAN}}}, or name the band in image.band_names as the weights do."
        raise ConfigError(KEY, problem, f"what the first weights of {band} are ({choices})", remedy)
    if new_bands[band] not in (*WORDS, *weight_bands):
        raise ConfigError(f"{KEY}.{band}", new_bands[band], f"one of {choices}", "Correct the word.")
    return new_bands[band]


def _require_new(weight_bands: Sequence[str], bands: Sequence[str], new_bands: Mapping[str, str]) -> None:
    """Refuse rules for bands that the weights know or the image lacks."""
    for band in new_bands:
        if band in weight_bands:
            problem = f"a rule for {band}, which the weights know"
            raise ConfigError(f"{KEY}.{band}", problem, "rules for bands that the weights do not know", "Remove it.")
        if band not in bands:
            problem = f"a rule for {band}, which the image does not have"
            raise ConfigError(f"{KEY}.{band}", problem, f"bands of the image ({', '.join(bands)})", "Correct the name.")

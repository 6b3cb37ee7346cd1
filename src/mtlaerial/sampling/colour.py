"""Colour augmentation: random contrast, brightness, gamma and saturation of patches."""

import math

import torch
from torch import Tensor


def change_colours(
    image: Tensor, strength: float, generator: torch.Generator, batch: int | None = None, share: slice = slice(None)
) -> Tensor:
    """Change contrast and brightness of each patch, mostly of all bands together, a little of each band apart.

    Parameters
    ----------
    image : Tensor, shape (patches, bands, rows, columns), in [-1, 1]
    strength : float
        Largest change as a share of the value range; 0 for none.
    generator : torch.Generator
        On the CPU.
    batch : int, optional
        Patches of the whole batch, where the image holds a share of it.
    share : slice
        The image's patches among those of the batch.
    """
    if strength == 0:
        return image
    # Drawn for the whole batch, so that each process draws the same numbers and takes its share.
    batch, bands = batch or len(image), image.shape[1]
    common = torch.rand(2, batch, 1, 1, 1, generator=generator) * 2 - 1
    apart = torch.rand(2, batch, bands, 1, 1, generator=generator) * 2 - 1
    contrast, brightness = ((common + apart / 4) * strength)[:, share].to(image.device, non_blocking=True)
    changed: Tensor = image * (1 + contrast) + brightness
    return changed


def change_gamma(
    image: Tensor, strength: float, generator: torch.Generator, batch: int | None = None, share: slice = slice(None)
) -> Tensor:
    """Raise values, as shares of the value range, to a power of each patch; a value below the range keeps its sign.

    Parameters
    ----------
    strength : float
        The power's logarithm is uniform in ±log(1 + strength); 0 for none.
    image, generator, batch, share
        As for :func:`change_colours`.
    """
    if strength == 0:
        return image
    number = _symmetric(batch or len(image), generator)[share].to(image.device, non_blocking=True)
    shares = (image + 1) / 2
    changed: Tensor = 2 * shares.sign() * shares.abs() ** torch.exp(number * math.log1p(strength)) - 1
    return changed


def change_saturation(
    image: Tensor, strength: float, generator: torch.Generator, batch: int | None = None, share: slice = slice(None)
) -> Tensor:
    """Scale the distance of each band from the mean of a pixel's bands, by a factor of each patch.

    The mean stands for the luminance, whose weights are defined for red, green and blue alone.

    Parameters
    ----------
    strength : float
        The factor is uniform in 1 ± strength; 0 for none.
    image, generator, batch, share
        As for :func:`change_colours`.
    """
    if strength == 0:
        return image
    number = _symmetric(batch or len(image), generator)[share].to(image.device, non_blocking=True)
    return torch.lerp(image.mean(dim=1, keepdim=True), image, 1 + number * strength)


def _symmetric(batch: int, generator: torch.Generator) -> Tensor:
    """Return a number of each patch, uniform in ±1, shape (batch, 1, 1, 1)."""
    return torch.rand(batch, 1, 1, 1, generator=generator) * 2 - 1

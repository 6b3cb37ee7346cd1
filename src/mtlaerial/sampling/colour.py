"""Colour augmentation: random contrast and brightness of patches."""

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

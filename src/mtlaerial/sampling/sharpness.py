"""Augmentation by a random Gaussian blur and by noise, as of other optics and sensors."""

import math

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

_REACH = 3.0
"""Standard deviations at which the kernel of a blur is cut."""
_SHARP = 1e-3
"""Smallest standard deviation of a kernel, in pixels, which changes nothing: none divides by 0."""
_SEEDS = 2**62


def blur(
    image: Tensor,
    strength: float,
    generator: torch.Generator,
    batch: int | None = None,
    share: slice = slice(None),
    invalid: Tensor | None = None,
) -> Tensor:
    """Blur each patch by a Gaussian; at its edges it is mirrored.

    Parameters
    ----------
    image : Tensor, shape (patches, bands, rows, columns)
    strength : float
        Largest standard deviation in pixels; a patch's is uniform from 0 up to it. 0 for none.
    generator : torch.Generator
        On the CPU.
    batch : int, optional
        Patches of the whole batch, where the image holds a share of it.
    share : slice
        The image's patches among those of the batch.
    invalid : Tensor, shape (patches, 1, rows, columns), bool, optional
        Pixels without image, which valid ones take nothing from.
    """
    if strength == 0:
        return image
    numbers = torch.rand(batch or len(image), generator=generator)[share]
    kernels = _kernels((numbers * strength).clamp(min=_SHARP), math.ceil(_REACH * strength))
    kernels = kernels.to(image.device, non_blocking=True)
    if invalid is None:
        return _convolve(image, kernels)
    valid = (~invalid).to(image.dtype)
    return _convolve(image * valid, kernels) / _convolve(valid, kernels).clamp(min=torch.finfo(image.dtype).eps)


def add_noise(
    image: Tensor,
    strength: float,
    generator: torch.Generator,
    batch: int | None = None,
    share: slice = slice(None),
    field: int = 0,
) -> Tensor:
    """Add Gaussian noise, of each pixel and band by itself.

    Parameters
    ----------
    image : Tensor, shape (patches, bands, rows, columns), in [-1, 1]
    strength : float
        Largest standard deviation as a share of the value range; a patch's is uniform from 0 up to it. 0 for none.
    generator, batch, share
        As for :func:`blur`.
    field : int
        Two images of a patch have independent noise if their numbers here differ.
    """
    if strength == 0:
        return image
    number = batch or len(image)
    deviations = (2 * strength * torch.rand(number, generator=generator))[share].tolist()
    seeds = torch.randint(_SEEDS, (number,), generator=generator)[share].tolist()
    # Drawn on the device, from a seed of each patch: a share of a batch has the noise that it has in the whole batch.
    on_device = torch.Generator(image.device)
    noisy = torch.empty_like(image)
    for patch, values, deviation, seed in zip(noisy, image, deviations, seeds, strict=True):
        patch.copy_(torch.randn(values.shape, generator=on_device.manual_seed(seed + field), device=image.device))
        patch.mul_(deviation).add_(values)
    return noisy


def _kernels(deviations: Tensor, radius: int) -> Tensor:
    """Return Gaussian kernels of sum 1, shape (patches, 2 * radius + 1)."""
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float32)
    return torch.softmax(-0.5 * (offsets / deviations[:, None]) ** 2, dim=1)


def _convolve(image: Tensor, kernels: Tensor) -> Tensor:
    """Convolve the rows and columns of each patch with its kernel."""
    patches, bands, rows, columns = image.shape
    radius = kernels.shape[1] // 2
    padded = pad(image, [radius] * 4, mode="reflect").reshape(
        1, patches * bands, rows + 2 * radius, columns + 2 * radius
    )
    weights = kernels.repeat_interleave(bands, dim=0)
    along_columns = conv2d(padded, weights[:, None, :, None], groups=patches * bands)
    return conv2d(along_columns, weights[:, None, None, :], groups=patches * bands).reshape(image.shape)

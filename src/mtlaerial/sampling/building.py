"""The sampler of a training, as its recipe says."""

from collections.abc import Collection, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from numpy.typing import NDArray

from mtlaerial.config import Layer, Task, TrainingSpec
from mtlaerial.config.labelled import patches_per_layer, truth_layers
from mtlaerial.config.task_entry import Truth
from mtlaerial.errors import ConfigError
from mtlaerial.rasters.geotiff import map_raster
from mtlaerial.sampling.class_balance import BalancedCorners
from mtlaerial.sampling.poses import Corners
from mtlaerial.sampling.sampler import PatchSampler
from mtlaerial.sampling.truth_patches import StratifiedCorners, TruthCorners, places_of, reach_of
from mtlaerial.tiles.tile import MaskedTruth, load_tiles


def build_sampler(
    folders: Sequence[Path],
    spec: TrainingSpec,
    device: torch.device,
    untrained: Collection[int] = (),
    context_scale: int | None = None,
    tasks: Sequence[Task] = (),
    zero_height: bool = True,
    masked: MaskedTruth = MappingProxyType({}),
) -> PatchSampler:
    """Return the sampler of prepared tiles for a training.

    Parameters
    ----------
    folders : sequence of Path
        A folder per tile; at least one holds a trained class where ``sampling`` is ``class_balanced``, and truth of
        each task where ``truth_patches`` asks for some.
    spec : TrainingSpec
    device : torch.device
        Device of the batches, and of the tiles where they fit ``memory_budget_mb``.
    untrained : collection of int, optional
        Classes that ``class_balanced`` never chooses.
    context_scale : int, optional
        As of :class:`PatchSampler`.
    tasks : sequence of Task, optional
        The tasks that are learned, for ``truth_patches`` and for truth that is derived from heights.
    zero_height : bool, optional
        Whether heights <= 0 are trained on.
    masked : MaskedTruth, optional
        Layers that take the place of a tile's own.

    Raises
    ------
    ConfigError
        When ``truth_patches`` asks for patches about truth that the tiles lack.
    """
    tiles = load_tiles(folders, device, spec.memory_budget_mb, masked=masked)
    reach = reach_of(spec.augmentation, spec.patch) if spec.truth_patches else None

    def corners_of(layer: Truth) -> BalancedCorners | TruthCorners:
        values = _on_host(folders, layer, masked)
        if layer == "labels" and spec.sampling == "class_balanced":
            return BalancedCorners(tiles, spec.patch, values, untrained, reach)
        return TruthCorners(tiles, spec.patch, layer, values, zero_height, reach, untrained)

    corners: Corners | None = None
    if spec.truth_patches:
        corners = _stratified([corners_of(layer) for layer in truth_layers(tasks)], spec, tasks)
    elif spec.sampling == "class_balanced":
        corners = corners_of("labels")
    return PatchSampler(tiles, spec.patch, spec.augmentation, corners, device, context_scale, tasks)


def _stratified(
    kinds: Sequence[BalancedCorners | TruthCorners], spec: TrainingSpec, tasks: Sequence[Task]
) -> StratifiedCorners:
    number = patches_per_layer(spec.truth_patches, spec.batch, tasks)
    areas = [kind.area for kind in kinds]
    for layer, area in zip(truth_layers(tasks), areas, strict=True):
        if not area:
            observed = f"{spec.truth_patches}, and training tiles with no {layer} that is trained on"
            raise ConfigError("training.truth_patches", observed, "some to draw patches about", "Write 0.")
    return StratifiedCorners(kinds, places_of(areas, number, spec.batch))


def _on_host(folders: Sequence[Path], layer: Layer, masked: MaskedTruth) -> list[NDArray[Any]]:
    """Return a layer of each tile, memory-mapped on the host, whatever device the tiles are on."""
    parts = [masked.get(folder, {}) for folder in folders]
    return [
        part[layer] if layer in part else map_raster(folder / f"{layer}.tif")
        for folder, part in zip(folders, parts, strict=True)
    ]

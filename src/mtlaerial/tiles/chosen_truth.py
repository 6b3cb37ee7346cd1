"""A share of the training area as if only there were truth: blocks in a random order, of which the first ones count.

Statistics and patches both read the masked layers, so that neither can see truth outside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import IGNORED, Layer
from mtlaerial.config.task_entry import Truth
from mtlaerial.rasters.grid import area_weights
from mtlaerial.system.files import writable
from mtlaerial.tiles.blocks import LayerBlocks
from mtlaerial.tiles.labelled_area import LabelledArea, LabelledLayer
from mtlaerial.tiles.measure_truth import class_areas, measure_heights
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.tiles.tile import MaskedTruth

ABSENT: dict[Truth, float] = {"labels": IGNORED, "height": np.nan}
"""Value of cells without truth."""


@dataclass(frozen=True)
class LabelledTruth:
    """Record and layers of the truth that a training uses."""

    area: LabelledArea
    masked: MaskedTruth


def choose_truth(
    folders: Sequence[Path],
    shares: Mapping[Truth, float],
    block: int,
    seed: int,
    statistics: Statistics,
    scratch: Path,
) -> LabelledTruth:
    """Choose the blocks of prepared training tiles whose truth is used, and mask the truth elsewhere.

    The blocks of all tiles are put into one random order, the same for all layers. Of a layer the first blocks are
    used, as many as come nearest to the share of its area with truth, and at least one with truth. So the blocks of a
    smaller share are among those of a larger one.

    Parameters
    ----------
    folders : sequence of Path
        A folder of prepared layers per tile; their order has no meaning.
    shares : mapping of layer to float
        Percent of the area with truth.
    block : int
        Side of a block in image pixels.
    seed : int
    statistics : Statistics
        Of these tiles.
    scratch : Path
        Folder of unnamed files with the masked layers, which the system frees even when the process is killed.

    Raises
    ------
    DataError
        When the folder is not writable or the disk is full.
    """
    ordered = sorted(folders, key=lambda folder: folder.name)
    records: dict[Layer, LabelledLayer] = {}
    masked: dict[Path, dict[Layer, NDArray[Any]]] = {folder: {} for folder in ordered}
    for layer, percent in shares.items():
        blocks = [LayerBlocks.of(folder, layer, block) for folder in ordered]
        counts = [entry.count(layer, statistics.zero_height) for entry in blocks]
        weights = area_weights([entry.cell_area for entry in blocks])
        areas = [weight * cells for weight, cells in zip(weights, counts, strict=True)]
        chosen = _first_blocks(areas, percent, seed)
        for folder, entry, mask in zip(ordered, blocks, chosen, strict=True):
            masked[folder][layer] = _masked(entry, mask.reshape(entry.shape), ABSENT[layer], scratch)
        records[layer] = _record(ordered, areas, chosen, percent)
    return LabelledTruth(_measured(ordered, masked, records, block, seed, statistics), masked)


def _first_blocks(areas: Sequence[NDArray[np.float64]], percent: float, seed: int) -> list[NDArray[np.bool_]]:
    """Return which blocks of each tile are used, by the area with truth of each block."""
    flat = np.concatenate(areas)
    order = np.random.default_rng(seed).permutation(len(flat))
    up_to = flat[order].cumsum()
    # Both grow with the percentage, so that smaller shares lie within larger ones.
    nearest = int(np.argmin(abs(up_to - percent / 100 * up_to[-1])))
    last = max(nearest, int(np.argmax(up_to > 0)))
    used = np.zeros(len(flat), dtype=bool)
    used[order[: last + 1]] = True
    return np.split(used, np.cumsum([len(part) for part in areas])[:-1])


def _masked(blocks: LayerBlocks, chosen: NDArray[np.bool_], absent: float, scratch: Path) -> NDArray[Any]:
    """Return a layer with the truth of chosen blocks alone, mapped from an unnamed file."""
    with writable(scratch):
        scratch.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=scratch) as file:
            copy = np.memmap(file, blocks.values.dtype, "w+", shape=blocks.values.shape)
        blocks.copy_chosen(copy, chosen, absent)
    return copy


def _record(
    folders: Sequence[Path], areas: Sequence[NDArray[np.float64]], chosen: Sequence[NDArray[np.bool_]], percent: float
) -> LabelledLayer:
    used = [area[mask] for area, mask in zip(areas, chosen, strict=True)]
    total, everything = sum(part.sum() for part in used), sum(area.sum() for area in areas)
    numbers = {folder.name: int((part > 0).sum()) for folder, part in zip(folders, used, strict=True)}
    blocks = {name: number for name, number in numbers.items() if number}
    share = round(100 * float(total / everything), 3)
    return LabelledLayer(percent=percent, used=share, blocks=blocks, pixels=round(float(total)))


def _measured(
    folders: Sequence[Path],
    masked: MaskedTruth,
    records: Mapping[Layer, LabelledLayer],
    block: int,
    seed: int,
    statistics: Statistics,
) -> LabelledArea:
    measured: dict[str, Any] = {}
    if "labels" in records:
        areas = class_areas(folders, {folder: layers["labels"] for folder, layers in masked.items()})
        pixels = np.round(areas[: len(statistics.classes)]).astype(np.int64)
        measured["class_pixels"] = tuple(pixels.tolist())
    if "height" in records:
        measured["height"] = measure_heights(folders, {folder: layers["height"] for folder, layers in masked.items()})
    return LabelledArea(seed=seed, block=block, layers=dict(records), **measured)

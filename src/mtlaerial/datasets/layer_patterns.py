"""Patterns of the files of a data set's layers, and the tiles that each list of them is for."""

from mtlaerial.config import PREPARED_LAYERS, DatasetSpec, Layer, Split
from mtlaerial.config.layers import Patterns
from mtlaerial.datasets.places import Source


def layer_patterns(spec: DatasetSpec, layer: Layer, split: Split) -> tuple[Patterns, ...]:
    """Return the accepted patterns of each file of a layer, preferred ones first; empty for an absent layer."""
    labels, height = spec.labels, spec.height
    if layer == "image":
        return (spec.image.files,)
    if layer == "height":
        return height.sources if height else ()
    if layer == "labels":
        return (labels.files_of(split),) if labels else ()
    eroded = labels.eroded if labels and split != "train" else None
    return (eroded.files,) if eroded else ()


def sources_of(spec: DatasetSpec) -> dict[Source, tuple[str, ...]]:
    """Return the tiles that each list of accepted patterns is for."""
    sources: dict[Source, tuple[str, ...]] = {}
    groups = spec.splits or {"test": spec.tiles}  # areas are all tested
    for split, tiles in groups.items():
        for layer in PREPARED_LAYERS:
            for accepted in layer_patterns(spec, layer, split):
                sources[layer, accepted] = (*sources.get((layer, accepted), ()), *tiles)
    if spec.footprints:
        sources["footprints", spec.footprints.files] = ("all",)
    return sources

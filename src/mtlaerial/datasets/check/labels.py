"""Checks of a tile's labels: bands and dtype, raw values, classes."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import IGNORED, LabelsSpec, Layer
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.check.findings import Findings, Level, percent
from mtlaerial.datasets.check.image_gate.remedies import unset_nodata_command
from mtlaerial.datasets.check.part import Part
from mtlaerial.datasets.check.parts import locate, present
from mtlaerial.datasets.check.place import ImagePlace
from mtlaerial.datasets.check.report import LabelsFacts
from mtlaerial.datasets.check.streaming import gather, read_through
from mtlaerial.datasets.decode import LabelValue, decode_labels, unknown_labels
from mtlaerial.rasters.validity import Pixels

_SHOWN = 8
"""Largest number of values that a finding lists."""
_COUNTED = 1000
"""Largest number of unknown values with a count of their own; a photograph in place of labels has millions."""


def check_labels(
    dataset: Dataset, tile: str, image: ImagePlace | None, findings: Findings, layer: Layer = "labels"
) -> LabelsFacts | None:
    """Check the labels of a tile, or its ``eroded`` labels; return None if the data set has none."""
    if dataset.spec.labels is None or not dataset.patterns(layer, tile):
        return None
    if not present(dataset, layer, tile, findings):
        return LabelsFacts(present=False)
    spec, parts = dataset.spec.labels.of(layer), locate(dataset, layer, tile, image, findings)
    if parts is None:
        return LabelsFacts(present=True)
    (part,) = parts
    size = (part.grid.height, part.grid.width)
    if not _check_form(spec, part, findings):
        read_through(part, findings)
        return LabelsFacts(present=True, size=size)
    pixels, errors = _Counts(spec), findings.errors
    zero = 0 if spec.encoding == "codes" else (0, 0, 0)
    gather(parts, pixels.add, findings, zero_counts=zero not in spec.ignore)
    if findings.errors > errors:
        return LabelsFacts(present=True, size=size)
    pixels.judge(part.path, dataset.split_of(tile), findings)
    return LabelsFacts(present=True, size=size, **pixels.facts(size[0] * size[1]))


def _check_form(spec: LabelsSpec, part: Part, findings: Findings) -> bool:
    """Check bands and dtype; return whether the values can be decoded."""
    codes = spec.encoding == "codes"
    observed = f"{part.bands} band{'s' if part.bands > 1 else ''} of {part.dtype}"
    if part.nodata is not None:
        _check_tag(spec, part, findings)
    if codes and (part.bands > 1 or np.dtype(part.dtype).kind not in "ui"):
        remedy = "Set labels.encoding to rgb for colours, or convert the file to one integer band."
        findings.error(part.path, observed, "one band of integer codes", remedy)
        return False
    if not codes and (part.bands < 3 or part.dtype != "uint8"):
        remedy = "Set labels.encoding to codes for codes, or convert the file to red, green, blue."
        findings.error(part.path, observed, "3 bands of uint8 (labels.encoding is rgb)", remedy)
        return False
    return True


def _check_tag(spec: LabelsSpec, part: Part, findings: Findings) -> None:
    """Check that the no-data tag is not also the value of a class."""
    assert part.nodata is not None
    tag = part.nodata if spec.encoding == "codes" else (part.nodata,) * 3
    for entry in spec.classes:
        if tag in entry.values:
            observed = f"the no-data tag {part.nodata:g}, which is also the class {entry.name}"
            remedy = f"Those pixels are ignored; if they are {entry.name}: {unset_nodata_command(part.path)}"
            findings.warning(part.path, observed, "a tag that is no class, or none", remedy)


class _Counts:
    """Counts of classes and unknown values, accumulated block by block."""

    def __init__(self, spec: LabelsSpec) -> None:
        self.spec = spec
        self.counts: NDArray[np.int64] = np.zeros(IGNORED + 1, dtype=np.int64)
        self.unknown: Counter[LabelValue] = Counter()
        """Pixels per unknown value, of the most frequent ones."""
        self.unknown_pixels = 0

    def add(self, block: Pixels) -> None:
        """Add a block of rows."""
        values, invalid = block
        raw = values[0] if self.spec.encoding == "codes" else values
        counts = np.bincount(decode_labels(self.spec, raw, invalid).ravel(), minlength=IGNORED + 1)
        self.counts += counts
        if counts[IGNORED]:
            unknown = unknown_labels(self.spec, raw, invalid)
            self.unknown_pixels += sum(unknown.values())
            frequent = (self.unknown + Counter(unknown)).most_common(_COUNTED)
            self.unknown = Counter(dict(frequent))

    def judge(self, path: Path, split: str, findings: Findings) -> None:
        """Add findings about the values."""
        pixels = int(self.counts.sum())
        if self.unknown_pixels:
            listed = ", ".join(f"{value} ({count} pixels)" for value, count in self.unknown.most_common(_SHOWN))
            more = ", …" if len(self.unknown) > _SHOWN else ""
            kind = "codes" if self.spec.encoding == "codes" else "colours"
            share = percent(self.unknown_pixels / pixels)
            observed = f"{share} of the pixels with unknown {kind}: {listed}{more}"
            remedy = "Add them to a class of labels.classes, or to labels.ignore."
            findings.error(path, observed, _list_values(self.spec), remedy)
        elif self.counts[IGNORED] == pixels:
            remedy = f"Take the tile out of splits.{split}, or correct labels.ignore."
            level: Level = "error" if split == "train" else "warning"
            findings.add(level, path, "no pixel with a class", "labels", remedy)

    def facts(self, cells: int) -> dict[str, Any]:
        """Return the fields of :class:`LabelsFacts` that come from pixels."""
        classes = {entry.name: int(self.counts[index]) for index, entry in enumerate(self.spec.classes)}
        return {"nodata": 1 - sum(classes.values()) / cells, "classes": classes}


def _list_values(spec: LabelsSpec) -> str:
    """List the raw values that the specification has classes for or ignores."""
    listed = [f"{value} {entry.name}" for entry in spec.classes for value in entry.values]
    ignored = [f"{value} ignored" for value in spec.ignore]
    more = [f"and {len(listed) - _SHOWN} more"] if len(listed) > _SHOWN else []
    return ", ".join(listed[:_SHOWN] + more + ignored[:_SHOWN])

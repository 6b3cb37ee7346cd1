"""Several tiles and faults at once: splits, memory, the summary."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from mtlaerial.datasets import check
from mtlaerial.datasets.check import check_dataset, check_splits, check_tile, summary
from support.town import SIZE, WEST, Town


def test_all_faults_are_found_at_once(town: Town) -> None:
    (town.root / "image/a.tif").unlink()
    height = town.write("height", "a", town.heights() + np.float32(300), gsd=1.0, crs="EPSG:25832")
    height.write_bytes(height.read_bytes()[:-500])
    labels = town.labels()
    labels[0, 0] = 77
    town.write("labels", "a", labels)
    findings = town.check().findings
    assert [(Path(f.where).parent.name, f.found.split()[0]) for f in findings[:2]] == [
        ("image", "no"),
        ("height", "the"),
    ]
    assert "readable pixels" in str(findings[2])
    town.write("image", "a", town.image().astype(np.float32) * 2, gsd=0.6)
    levels = [(Path(f.where).parent.name, f.level) for f in town.check().findings]
    assert levels == [
        ("image", "error"),
        ("image", "warning"),
        ("height", "error"),
        ("height", "error"),
        ("labels", "error"),
    ]


def test_memory_follows_the_block(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of 24 blocks of rows, with faults in the last."""
    rows, columns = 24 * 512, 256
    image = town.random.integers(0, 256, (3, rows, columns), dtype=np.uint8)
    labels = np.zeros((rows, columns), dtype=np.uint8)
    labels[-1, -1] = 77
    heights = np.zeros((rows, columns), dtype=np.float32)
    heights[-1, -1] = np.inf
    for layer, values in (("image", image), ("labels", labels), ("height", heights)):
        town.write(layer, "a", values)
    whole = image.nbytes + labels.nbytes + heights.nbytes
    del image, labels, heights, values
    town.check("b")
    monkeypatch.setattr("mtlaerial.datasets.check.height._SAMPLE", 10_000)
    tracemalloc.start()
    report = town.check()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert {Path(f.where).parent.name for f in report.findings} == {"labels", "height"}
    assert peak < whole / 4


def test_train_overlaps_test(town: Town) -> None:
    town.write("image", "b", town.image(), west=WEST + 24)
    (finding,) = check_splits([check_tile(town.dataset, tile) for tile in "ab"])
    assert finding.level == "error"
    for word in ("train tile a", "test tile b", "25 %"):
        assert word in finding.found


def test_same_image_without_georeference(town: Town) -> None:
    image = town.image()
    for tile in "ab":
        for layer, values in (("image", image), ("height", town.heights()), ("labels", town.labels())):
            town.bare(layer, tile, values)
    inconclusive, finding = check_dataset(town.dataset).findings
    assert finding.level == "error"
    assert "train tile a and test tile b with the same image" in finding.found
    town.bare("image", "b", town.image())
    assert check_dataset(town.dataset).findings == (inconclusive,)
    assert (inconclusive.level, inconclusive.expected) == ("warning", "georeferenced tiles")


def test_tiles_unlike_the_others(town: Town) -> None:
    town.change(splits={"train": ["a"], "test": ["b", "c"]}, gsd=None, height=None, labels={"optional": ["c"]})
    town.write("image", "c", np.zeros((4, SIZE, SIZE), dtype=np.uint16), gsd=0.6, west=WEST + 1000)
    form, gsd = check_dataset(town.dataset).splits
    assert (form.level, form.where) == ("error", "image of tile c")
    assert "4 bands of uint16" in form.found
    assert "3 of uint8" in form.expected
    assert (gsd.level, gsd.found) == ("warning", "0.6 m per pixel")


def test_summary(town: Town) -> None:
    town.change(generated=True)
    for tile in "ab":
        (town.root / "labels" / f"{tile}.tif").unlink()
    town.write("image", "a", np.full((3, SIZE, SIZE), 7, dtype=np.uint8))
    text = summary(check_dataset(town.dataset))
    assert "Data set town (generated data)" in text
    assert text.splitlines()[3].split()[:5] == ["a", "train", "64", "x", "64"]
    assert text.index("Errors") < text.index("labels/a.tif") < text.index("Warnings") < text.index("the value 7")
    assert text.endswith("2 tiles, 2 errors, 1 warning.")
    assert "no errors, no warnings." in summary(check.assemble([Town(town.root).check()]))


def test_no_torch() -> None:
    import subprocess
    import sys

    code = "import sys, mtlaerial.datasets.check; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)

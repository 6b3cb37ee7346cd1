"""The comparison of engines: ratios within rounds, and differences of maps."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from support import tiny

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(BENCHMARKS)
    import engines

    return engines


def test_ratios_are_medians_of_those_within_a_round(engines: ModuleType) -> None:
    # The machine is twice as slow in the second round, which the ratio does not show; nor one slow prediction.
    torch = [engines.Cost(4, 8), engines.Cost(8, 8), engines.Cost(4, 8)]
    other = [engines.Cost(2, 2), engines.Cost(4, 2), engines.Cost(400, 2)]
    costs = {engines.REFERENCE: torch, "openvino 32-true": other}
    row = engines.row_of("openvino 32-true", costs, engines.Cost(5, 6), mpixel=2)
    assert row[f"wall_ratio_{engines.REFERENCE}"] == 2
    assert row[f"cpu_ratio_{engines.REFERENCE}"] == 4
    assert (row["wall_per_mpixel"], row["cpu_per_mpixel"], row["start_cpu_seconds"]) == (2, 1, 6)
    assert not [key for key in row if "bf16" in key]  # a processor without its units has no such baseline


def test_differences_are_shares_of_pixels_and_metres(engines: ModuleType, tmp_path: Path) -> None:
    theirs, ours = (tmp_path / name for name in ("torch_32-true", "openvino_32-true"))
    heights = np.zeros((1, 10, 10), np.float32)
    tiny.write_raster(theirs / "height.tif", heights)
    tiny.write_raster(theirs / "semantics.tif", heights.astype(np.uint8))
    classes = heights.astype(np.uint8)
    heights[0, 0, :5], classes[0, 0, 0] = [0.009, 0.02, -0.5, 0, 0], 1
    tiny.write_raster(ours / "height.tif", heights)
    tiny.write_raster(ours / "semantics.tif", classes)
    found = engines.differences("openvino 32-true", tmp_path)
    assert found["classes_equal"] == 0.99
    assert found["heights_within_1_cm"] == 0.98
    assert found["height_max_difference"] == 0.5
    assert found["height_mean_difference"] == pytest.approx(0.00529)

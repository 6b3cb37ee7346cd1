"""The measurements on a GPU, with a small network on the CPU: order, deadline, failures, ratios, and equal numbers."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

ROOT = Path(__file__).parents[2]


@pytest.fixture
def on_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    import on_gpu

    return on_gpu


def test_ratios_are_to_the_first_of_question_and_batch(on_gpu: ModuleType) -> None:
    rows = [
        {"question": "steps", "batch_of_steps": 6, "seconds": 0.5},
        {"question": "steps", "batch_of_steps": 6, "seconds": 0.25},
        {"question": "steps", "batch_of_steps": 32, "seconds": 0.1},
        {"question": "maps", "mpixel_per_second": 10.0},
        {"question": "maps", "missing": "no time was left"},
        {"question": "maps", "mpixel_per_second": 30.0},
    ]
    related = on_gpu.with_ratios(rows)
    assert [row.get("seconds_ratio") for row in related[:3]] == [1, 0.5, 1]
    assert [row.get("mpixel_per_second_ratio") for row in related[3:]] == [1, None, 3]


def test_failures_and_lack_of_time_are_rows_of_the_record(
    on_gpu: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> Any:
        raise RuntimeError("out of memory")

    def questions(accelerator: str, small: bool) -> Iterator[Any]:
        yield "works", lambda: {"seconds": 2.0}
        yield "fails", fails
        monkeypatch.setattr(on_gpu.Clock, "is_over", True)
        yield "late", fails

    monkeypatch.setitem(on_gpu.QUESTIONS, "steps", questions)
    monkeypatch.setattr(sys, "argv", ["on_gpu.py", "--only", "steps", "--json", str(tmp_path / "record.json")])
    on_gpu.main()
    works, fails_row, late = json.loads((tmp_path / "record.json").read_text())["rows"]
    assert works["seconds_ratio"] == 1
    assert fails_row["missing"] == "RuntimeError: out of memory"
    assert late["missing"] == "no time was left"


@pytest.mark.full("three trainings, and torch's compiler")
@pytest.mark.parametrize("name", ["equal", "pcgrad", "famo"])
def test_compiled_weightings_end_where_others_do(
    on_gpu: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    # The compiler's own code generator takes a minute; what may break is before it.
    compiled = torch.nn.Module.compile
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self, mode: compiled(self, backend="aot_eager"))
    found = on_gpu.agreement(tmp_path, "cpu", name, updates=2)
    assert found["within_tolerance"]
    assert found["repeated"]


@pytest.mark.full("two predictions of a small network")
def test_maps_are_measured_with_a_batch_by_memory(on_gpu: ModuleType, tmp_path: Path) -> None:
    found = on_gpu.mapped(tmp_path, "cpu", True, on_gpu.MAPS["batch by free memory"])
    assert found["batch"] == 1  # on the CPU
    assert found["mpixel_per_second"] > 0

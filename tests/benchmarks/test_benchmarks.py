"""Records of the benchmarks, and their counts of operations and memory traffic."""

import json
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn

from mtlaerial.version import __version__

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def record(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import record

    return record


@pytest.fixture
def arithmetic(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import arithmetic

    return arithmetic


def test_a_record_names_machine_versions_and_code(record: ModuleType, tmp_path: Path):
    path = tmp_path / "new" / "one.json"
    record.save(path, "one", [{"seconds": 1.5}], network="small")
    content = json.loads(path.read_text())
    assert content["benchmark"] == "one"
    assert content["rows"] == [{"seconds": 1.5}]
    assert content["network"] == "small"
    assert content["device"]["cpu"]
    assert content["device"]["cores"] >= 1
    assert content["versions"]["mtlaerial"] == __version__
    assert content["versions"]["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert len(content["code"]["hash"]) == 12
    assert [entry.name for entry in path.parent.iterdir()] == ["one.json"]


def test_nothing_is_recorded_without_a_file(record: ModuleType):
    record.save(None, "one", [])


def test_a_record_tells_whether_files_differ_from_the_commit(record: ModuleType, tmp_path: Path):
    def git(*arguments: str) -> str:
        named = ["-c", "user.name=a", "-c", "user.email=a@b"]
        return subprocess.run(
            ["git", *named, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout

    assert set(record.code(tmp_path)) == {"hash"}
    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "first")
    assert record.code(tmp_path)["commit"] == git("rev-parse", "HEAD").strip()
    assert not record.code(tmp_path)["dirty"]
    (tmp_path / "file").touch()
    assert record.code(tmp_path)["dirty"]


def test_the_processor_is_named_as_linux_names_it(record: ModuleType, tmp_path: Path):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: Some CPU: 9000\nmodel name\t: Some CPU: 9000\n")
    assert record.cpu_name(cpuinfo) == "Some CPU: 9000"
    assert record.cpu_name(tmp_path / "none")


def test_the_first_runs_do_not_count(record: ModuleType, monkeypatch: pytest.MonkeyPatch):
    clock = iter([0, 100, 200, 201, 300, 303, 400, 402])
    monkeypatch.setattr(record.time, "perf_counter", lambda: next(clock))
    assert record.median_seconds(lambda: None, runs=3) == 2


def test_operations_and_traffic_agree_with_a_count_by_hand(arithmetic: ModuleType):
    batch, side, inner, outer = 2, 16, 8, 5
    network = nn.Sequential(
        nn.Conv2d(3, inner, 3, padding=1, bias=False), nn.ReLU(), nn.Conv2d(inner, outer, 1, bias=False)
    )
    pixels = batch * side**2
    first, last = 2 * 9 * 3 * inner * pixels, 2 * inner * outer * pixels
    forward = arithmetic.forward_pass(network, batch, side, side)
    assert forward.flop == first + last
    numbers = pixels * (3 + inner + inner + inner + inner + outer) + 9 * 3 * inner + inner * outer
    assert forward.moved == 4 * numbers
    # Backward: the gradients of both weights, and of the last layer's input; the image needs none.
    assert arithmetic.training_step(network, batch, side).flop == forward.flop + first + 2 * last


def test_a_transposed_convolution_counts_by_its_input(arithmetic: ModuleType):
    network = nn.ConvTranspose2d(3, 4, 4, stride=2, padding=1, bias=False)
    assert arithmetic.forward_pass(network, 1, 8, 8).flop == 2 * 16 * 3 * 4 * 8**2


def test_a_view_moves_nothing(arithmetic: ModuleType):
    image = torch.zeros(1, 3, 8, 8)
    assert arithmetic.counted(lambda: image.flatten().view(3, 64)[1:].T).moved == 0


def test_a_prediction_takes_the_larger_of_arithmetic_and_traffic(arithmetic: ModuleType):
    gpu = arithmetic.Gpu("one", peak=100, bandwidth=1000, source="")
    row = arithmetic.predicted(gpu, "job", arithmetic.Work(flop=50e12, moved=3e12), 0.5)
    assert row["seconds_arithmetic"] == pytest.approx(1)
    assert row["seconds_traffic"] == pytest.approx(3)
    assert row["seconds"] == pytest.approx(3)
    assert row["bound"] == "traffic"

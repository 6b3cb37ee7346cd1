"""Costs of the original's rows: counts of its networks and windows, and the tables of the documentation."""

from pathlib import Path
from types import ModuleType

import pytest

from mtlaerial.config import D3NetSpec, PredictionSpec, Task
from mtlaerial.models import build_model
from support import tiny
from support.paths import ROOT

OUTPUTS: tuple[tuple[Task, int], ...] = (("semantics", 5), ("height", 1))


@pytest.fixture
def costs(monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import row_costs

    return row_costs


@pytest.fixture
def arithmetic(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import arithmetic

    return arithmetic


def test_counts_are_those_of_a_whole_pass(costs: ModuleType, arithmetic: ModuleType) -> None:
    """Operations grow with the area; passes with dropout share the encoder."""
    network = costs.counted(tiny.model_spec(), OUTPUTS)
    whole = arithmetic.forward_pass(build_model(tiny.model_spec(), 3, dict(OUTPUTS)), 2, 96, 128)
    assert network.flop * 2 * 96 * 128 == whole.flop
    assert network.pass_flop(0) == network.pass_flop(1) == network.flop
    assert network.pass_flop(3) == pytest.approx(3 * network.flop - 2 * network.encoder_flop)
    assert 0 < network.encoder_flop < network.flop


@pytest.mark.full("counts two more networks; the tables of the documentation are counted in the same way")
def test_networks_of_fewer_layers_keep_less(costs: ModuleType) -> None:
    whole, alone = (costs.counted(tiny.model_spec(), OUTPUTS[first:]) for first in (0, 1))
    without = costs.counted(tiny.model_spec(skips=False), OUTPUTS)
    for fewer in (alone, without):
        assert fewer.flop < whole.flop
        assert fewer.training_bytes(6, 320) < whole.training_bytes(6, 320)
        assert fewer.weight_bytes < whole.weight_bytes


@pytest.mark.parametrize(
    ("dataset", "stride", "windows"), [("dfc2018", 256, 1936), ("vaihingen", 1024, 6), ("vaihingen", 512, 12)]
)
def test_maps_take_all_windows_of_a_tile(costs: ModuleType, dataset: str, stride: int, windows: int) -> None:
    network = costs.counted(tiny.model_spec(), OUTPUTS)
    cost = costs.maps_cost(network, PredictionSpec(stride=stride), costs.TILES[dataset], tiles=2)
    assert cost.flop == pytest.approx(2 * windows * 1024**2 * network.flop)


@pytest.mark.full("counts eight networks of the original's size")
@pytest.mark.parametrize("overlays", [(), ("original_single",), ("no_skips",)])
def test_the_documentation_has_the_tables(costs: ModuleType, overlays: tuple[str, ...]) -> None:
    page = Path("docs/reproduction.md").read_text(encoding="utf-8")
    tables = dict(costs.tables([Path(f"config/{name}.yaml") for name in overlays]))
    assert list(tables) == ["dfc2018", "vaihingen", "all"]
    for title, text in tables.items():
        assert text in page, f"python benchmarks/row_costs.py: {title}\n{text}"


@pytest.mark.full("counts four networks of the original's size")
def test_the_documentation_has_the_operations_of_the_networks(costs: ModuleType) -> None:
    page = " ".join(Path("docs/reproduction.md").read_text(encoding="utf-8").split())
    both = (("semantics", 20), ("height", 1))
    patch = 320**2 / 1e9
    gigaflop = {
        "{} GFLOP forward for a patch": costs.counted(D3NetSpec(), both).flop,
        "{} without skips": costs.counted(D3NetSpec(skips=False), both).flop,
        "{} for semantics alone": costs.counted(D3NetSpec(), both[:1]).flop,
        "{} for height alone": costs.counted(D3NetSpec(), both[1:]).flop,
    }
    for words, flop in gigaflop.items():
        assert words.format(f"{flop * patch:.1f}") in page

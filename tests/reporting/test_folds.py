"""Scores of folds, joined: each tile once, sums as of one run, and the protocol beside them."""

from pathlib import Path

import numpy as np
import pytest

from mtlaerial.errors import DataError
from mtlaerial.reporting.folds import Evaluation, pool_costs, pool_folds, pool_hours
from mtlaerial.reporting.tables import write_tables
from mtlaerial.runs.cost import Cost
from support import tiny
from support.sample_scores import run, tile

PROTOCOL = "2 areas, each tested by a training on all others, buffer 10 m"
EVALUATIONS = {
    "town": Evaluation(folds=("town.north", "town.south"), protocol=PROTOCOL),
    "village": Evaluation(protocol="fixed split, no buffer"),
}
TILES = [tile([[6, 2, 0], [1, 11, 0]], [0.0, 4.0], [1.0, 3.0]), tile([[3, 1, 0], [2, 4, 0]], [5.0, 7.0], [5.5, 1.0])]


def test_sums_of_folds_are_those_of_one_run_on_all_tiles() -> None:
    folds = [run("equal", 0, TILES[:1], dataset="town.north", training_pixels=(10, 90))]
    folds += [run("equal", 0, TILES[1:], dataset="town.south", training_pixels=(5, 1))]
    folds[1] = folds[1].model_copy(update={"tiles": {"t1": TILES[1]}})
    (pooled,) = pool_folds(folds, EVALUATIONS)
    whole = run("equal", 0, TILES)
    assert pooled.dataset == "town"
    assert pooled.tiles == whole.tiles
    np.testing.assert_array_equal(pooled.confusion(), whole.confusion())
    np.testing.assert_array_equal(pooled.height("all")["overall"], whole.height("all")["overall"])
    assert pooled.training_pixels == (15, 91)
    assert pooled.protocol == PROTOCOL
    assert pooled.areas == {"north": ("t0",), "south": ("t1",)}


def test_runs_stay_apart_by_method_and_seed_and_in_their_order() -> None:
    folds = []
    for fold, name in enumerate(("town.north", "town.south")):
        for method in ("equal", "other"):
            for seed in (0, 1):
                one = run(method, seed, [TILES[fold]], dataset=name)
                folds.append(one.model_copy(update={"tiles": {f"t{fold}": TILES[fold]}}))
    alone = run("equal", 0, TILES, dataset="village")
    pooled = pool_folds([*folds, alone], EVALUATIONS)
    keys = [(one.dataset, one.method, one.seed) for one in pooled]
    assert keys == [("town", m, s) for m in ("equal", "other") for s in (0, 1)] + [("village", "equal", 0)]
    assert pooled[-1] == alone.model_copy(update={"protocol": "fixed split, no buffer"})


def test_updates_of_folds_are_the_mean_of_those_of_each() -> None:
    recipe = tiny.training_spec(epochs=4)
    folds = [run("equal", 0, TILES[:1], dataset="town.north", training=recipe, ended_early=2)]
    folds += [run("equal", 0, TILES[1:], dataset="town.south", training=recipe)]
    folds[1] = folds[1].model_copy(update={"tiles": {"t1": TILES[1]}})
    (pooled,) = pool_folds(folds, EVALUATIONS)
    assert pooled.updates == 3 * recipe.steps_per_epoch
    (whole,) = pool_folds([fold.model_copy(update={"ended_early": None}) for fold in folds], EVALUATIONS)
    assert whole.ended_early is None


def test_folds_by_different_code_show_as_a_mixture() -> None:
    folds = [run("equal", 0, TILES[:1], dataset="town.north"), run("equal", 0, TILES[:1], dataset="town.south")]
    folds[1] = folds[1].model_copy(update={"tiles": {"t1": TILES[1]}, "code": "other"})
    assert pool_folds(folds, EVALUATIONS)[0].code == "abc and other"


def test_a_tile_is_tested_once() -> None:
    folds = [run("equal", 0, TILES[:1], dataset=name) for name in ("town.north", "town.south")]
    with pytest.raises(DataError, match="a tile in two folds"):
        pool_folds(folds, EVALUATIONS)


def test_costs_of_folds_are_joined() -> None:
    costs = {("town.north", "equal", 0): Cost(seconds_per_step=1, peak_memory_mb=5, device="CPU")}
    costs["town.south", "equal", 0] = Cost(seconds_per_step=3, peak_memory_mb=4, device="CPU")
    joined = Cost(seconds_per_step=2, peak_memory_mb=5, device="CPU")
    assert pool_costs(costs, EVALUATIONS) == {("town", "equal", 0): joined}


def test_hours_of_folds_are_those_of_each_training() -> None:
    recipe = tiny.training_spec(epochs=4)
    folds = [run("equal", 0, TILES[:1], dataset=name, training=recipe) for name in ("town.north", "town.south")]
    folds[1] = folds[1].model_copy(update={"ended_early": 1})
    costs = {(fold.dataset, "equal", 0): Cost(seconds_per_step=9, peak_memory_mb=5, device="CPU") for fold in folds}
    hours = recipe.steps_per_epoch * 9 / 3600
    ensemble = run("joined", 0, TILES)
    costs["town", "joined", 0] = costs["town.north", "equal", 0]
    assert pool_hours([*folds, ensemble], costs, EVALUATIONS) == {("town", "equal", 0): (4 * hours, hours)}


def test_the_protocol_stands_below_every_table(tmp_path: Path) -> None:
    runs = pool_folds([run("equal", 0, TILES, dataset="village")], EVALUATIONS)
    write_tables(runs, tmp_path)
    assert "Split: fixed split, no buffer." in (tmp_path / "village.md").read_text().replace("\\", "")


def test_weights_and_cosines_are_those_of_all_folds() -> None:
    pair = {"level": "features", "tasks": ("semantics", "height"), "measurements": 2, "total": 1.0}
    cosines = [{**pair, "least": least, "negative": int(least < 0)} for least in (0.25, -0.5)]
    folds = [
        run("equal", 0, TILES[:1], dataset="town.north", final_weights={"height": 1.0}, cosines=cosines[:1]),
        run("equal", 0, TILES[1:], dataset="town.south", final_weights={"height": 3.0}, cosines=cosines[1:]),
    ]
    folds[1] = folds[1].model_copy(update={"tiles": {"t1": TILES[1]}})
    (pooled,) = pool_folds(folds, EVALUATIONS)
    assert pooled.final_weights == {"height": 2.0}
    assert [(part.measurements, part.least, part.negative) for part in pooled.cosines] == [(4, -0.5, 1)]

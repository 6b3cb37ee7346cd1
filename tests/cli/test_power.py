"""The command that says what a design can tell."""

import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mtlaerial.cli import app
from mtlaerial.errors import DataError
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.scores_file import save_scores
from mtlaerial.scoring.tile_scores import TileScores
from support.sample_scores import run


def call(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["power", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def pilot(seeds: float, tiles: float, rest: float) -> list[Scores]:
    """Make runs of heights whose mean errors differ from equal's of 1 m by deviations of seeds, tiles and the rest."""
    random = np.random.default_rng(0)
    shape = (12, 12)
    noise = (
        random.normal(0, seeds, (shape[0], 1)) + random.normal(0, tiles, (1, shape[1])) + random.normal(0, rest, shape)
    )
    errors = {"equal": np.ones(shape), "other": 1 - noise}
    return [
        run(method, seed, [of_error(error) for error in of_seed], weighting=method if method == "equal" else "dwa")
        for method, values in errors.items()
        for seed, of_seed in enumerate(values)
    ]


def of_error(error: float) -> TileScores:
    return TileScores(height={"all": {"overall": (1000.0, 0.0, 1000 * error, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)}})


def test_text_has_the_effect_the_seeds_that_another_takes_and_a_table() -> None:
    text = call("--seeds", 8, "--tiles", 20, "--comparisons", 4, "--effect", 0.03)
    assert "8 seeds, 20 test tiles, 4 comparisons with one baseline: the minimal detectable effect is 3.5 %" in text
    assert "Deviations, assumed: 2 % between seeds, 2 % between tiles, 2 % besides." in text
    assert re.search(r"An effect of 3 % takes 1[01] seeds\.", text)
    assert len(text.splitlines()) == 9


def test_one_seed_has_no_verdict() -> None:
    assert "1 seeds, 5 test tiles, 1 comparisons with one baseline: no verdict;" in call("--seeds", 1, "--tiles", 5)


def test_deviations_are_those_of_a_pilot(tmp_path: Path) -> None:
    for entry in pilot(0.05, 0.02, 0.01):
        folder = tmp_path / f"runs/{entry.method}/seed{entry.seed}"
        folder.mkdir(parents=True)
        save_scores(entry, folder / "scores.json")
    seeds, tiles, rest = stated_deviations(call("--seeds", 4, "--tiles", 9, "--pilot", tmp_path))
    assert 2.5 < seeds < 8
    assert 1 < tiles < 3.5
    assert 0.8 < rest < 1.2


def stated_deviations(text: str) -> list[float]:
    stated = re.search(r"of 1 differences of earlier runs: (\S+) % between seeds, (\S+) % between tiles, (\S+) %", text)
    assert stated is not None
    return [float(number) for number in stated.groups()]


def test_a_pilot_of_areas_has_the_deviations_of_its_pooled_table(tmp_path: Path) -> None:
    """The luck of four trainings of a seed, 8 % each, is 4 % of the seed's mean over all areas."""
    random, areas = np.random.default_rng(0), 4
    luck = random.normal(0, 0.08, (12, areas, 1)) + random.normal(0, 0.01, (12, areas, 6))
    for area in range(areas):
        for method, errors in (("equal", np.ones_like(luck)), ("other", 1 - luck)):
            for seed, of_areas in enumerate(errors):
                entry = run(method, seed, [of_error(error) for error in of_areas[area]], dataset=f"town.{area}")
                tiles = {f"{area}_{name}": scored for name, scored in entry.tiles.items()}
                folder = tmp_path / f"{area}/{method}/seed{seed}"
                folder.mkdir(parents=True)
                save_scores(entry.model_copy(update={"tiles": tiles}), folder / "scores.json")
    seeds, _, _ = stated_deviations(call("--seeds", 4, "--tiles", 9, "--pilot", tmp_path))
    assert seeds == pytest.approx(100 * luck.mean(axis=(1, 2)).std(ddof=1), rel=0.3)
    alone, _, _ = stated_deviations(call("--seeds", 4, "--tiles", 9, "--pilot", tmp_path / "0"))
    assert alone > 6


def test_data_sets_of_one_name_and_the_same_tiles_are_no_folds(tmp_path: Path) -> None:
    for version in (1, 2):
        for entry in pilot(0.05, 0.02, 0.01):
            folder = tmp_path / f"{version}/{entry.method}/seed{entry.seed}"
            folder.mkdir(parents=True)
            save_scores(entry.model_copy(update={"dataset": f"town.v{version}"}), folder / "scores.json")
    assert "of 2 differences of earlier runs" in call("--seeds", 4, "--tiles", 9, "--pilot", tmp_path)


def test_a_pilot_of_one_method_is_refused_in_one_sentence(tmp_path: Path) -> None:
    save_scores(pilot(0, 0, 0)[0], tmp_path / "scores.json")
    with pytest.raises(DataError, match="found 1 scored runs without them; expected two methods that learn the same"):
        call("--seeds", 3, "--tiles", 3, "--pilot", tmp_path)
    with pytest.raises(DataError, match="absent: found no such file; expected scores of runs"):
        call("--seeds", 3, "--tiles", 3, "--pilot", tmp_path / "absent")

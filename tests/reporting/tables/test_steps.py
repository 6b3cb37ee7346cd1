"""Steps of an ablation: differences by hand, intervals that are paired, and rows that lack something."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from mtlaerial.config import D3NetSpec, PredictionSpec, TrainingSpec
from mtlaerial.reporting.tables import Document, Panel, build_documents, write_tables
from mtlaerial.scoring.scores import Scores
from support.configurations import refusal
from support.sample_scores import run, tile

CHAIN = ("first", "second", "third")
TRUE = [0.0, 1.0, 10.0, 50.0]


def scored(method: str, hits: int, error: float, seeds: Sequence[int] = (0, 1), tiles: int = 2) -> list[Scores]:
    """Make runs with a number of right pixels, of 20 in each class, and an error of all heights."""
    runs = []
    for seed in seeds:
        parts = []
        for number in range(tiles):
            right = hits + seed - number
            confusion = [[right, 20 - right, 0], [20 - right, right, 0]]
            predicted = [height + error + 0.1 * seed + 0.2 * number for height in TRUE]
            parts.append(tile(confusion, TRUE, predicted, near=(right, right)))
        runs.append(run(method, seed, parts))
    return runs


def experiment(seeds: Sequence[int] = (0, 1)) -> list[Scores]:
    return [*scored("first", 10, 4, seeds), *scored("second", 12, 3, seeds), *scored("third", 16, 1, seeds)]


def steps(runs: Sequence[Scores], *chains: Sequence[str]) -> Document:
    documents = build_documents(runs, ablations={"town": chains or (CHAIN,)})
    return next(document for document in documents if document.stem == "town_steps")


def value(document: Document, method: str, baseline: str, score: str) -> Any:
    wide = document.wide
    chosen = wide[(wide["method"] == method) & (wide["baseline"] == baseline) & (wide["score"] == score)]
    return next(chosen.itertuples(index=False))


def test_each_row_is_compared_with_the_one_before_and_with_the_first() -> None:
    document = steps(experiment())
    pairs = {(row.method, row.baseline, row.step) for row in document.wide.itertuples()}
    assert pairs == {
        ("second", "first", "before"), ("third", "second", "before"), ("third", "first", "first"),
    }  # fmt: skip
    assert [panel.key for panel in document.panels] == [
        f"town-steps-1-{step}-{part}" for step in ("before", "first") for part in ("scores", "classes")
    ]
    names = [row[0].text for row in document.panels[0].rows]
    assert names == ["second − first", "third − second"]


def test_differences_by_hand() -> None:
    """Shares in points: of two symmetric classes with a share r of right pixels the IoU is r / (2 - r)."""
    document = steps(experiment(seeds=(0,)))
    before, after = ((right := hits - 0.5) / (40 - right) for hits in (10, 12))  # pooled over two tiles
    for score in ("mIoU", "road", "house"):
        assert value(document, "second", "first", score).difference == pytest.approx(100 * (after - before))
    assert value(document, "second", "first", "MAE").difference == pytest.approx(100 * (3.1 / 4.1 - 1), rel=1e-5)
    squares = [np.hypot(error, error + 0.2) for error in (4, 3)]
    assert value(document, "second", "first", "RMSE").difference == pytest.approx(
        100 * (squares[1] / squares[0] - 1), rel=1e-5
    )


def test_error_below_the_last_edge_leaves_the_highest_cells_out() -> None:
    """The bins of the samples are below and from 2 m: errors of the two low cells differ from those of the others."""
    runs = []
    for method, low, high in (("first", 1.0, 5.0), ("second", 0.5, 9.0)):
        predicted = [height + (low if height < 2 else high) for height in TRUE]
        runs.append(run(method, 0, [tile([[1, 0, 0], [0, 1, 0]], TRUE, predicted)]))
    document = steps(runs, ("first", "second"))
    assert value(document, "second", "first", "RMSE, h < 2 m").difference == pytest.approx(-50)
    assert value(document, "second", "first", "RMSE").difference > 50


def test_rows_with_other_bins_of_heights_have_no_error_below_the_last_edge() -> None:
    """The last edge of one row is none of the other's."""
    first, second = (run(method, 0, [tile((), TRUE, TRUE[::-1])]) for method in ("first", "second"))
    text = second.model_dump_json().replace("below 2 m", "below 3 m").replace("from 2 m", "from 3 m")
    other = Scores.model_validate_json(text)
    assert "RMSE, h < 2 m" in set(steps([first, second], ("first", "second")).wide["score"])
    assert not [score for score in steps([first, other], ("first", "second")).wide["score"] if "h <" in score]


def test_interval_is_that_of_differences_of_the_same_seeds_and_tiles() -> None:
    """The mean absolute error of tiles of one size is a mean over them, of which the cells are known."""
    noise = np.random.default_rng(0).normal(0, 0.2, (2, 3, 4))  # rows, seeds, tiles
    means = 2.0 + noise - noise.mean(axis=(1, 2), keepdims=True) + np.array([0.0, -0.5])[:, None, None]
    runs = [
        run(method, seed, [tile((), TRUE, [height + error for height in TRUE]) for error in of_seed])
        for method, of_method in zip(("first", "second"), means, strict=True)
        for seed, of_seed in enumerate(of_method)
    ]
    shown = value(steps(runs, ("first", "second")), "second", "first", "MAE")
    # Relative to the first's mean: (b - a * ratio of the means) / mean of a, to first order of the noise.
    cells = (means[1] - means[0] * 1.5 / 2.0) / 2.0
    errors = [cells.mean(axis=axis).std(ddof=1) / np.sqrt(cells.shape[1 - axis]) for axis in (1, 0)]
    half = np.hypot(4.3027 * errors[0], 3.1824 * errors[1])  # Student's quantiles for three and for four values
    assert shown.difference == pytest.approx(-25, abs=1e-3)
    assert (shown.high - shown.low) / 2 == pytest.approx(100 * half, rel=0.03)
    assert (shown.high + shown.low) / 2 == pytest.approx(-25, abs=1e-3)
    assert (shown.seeds, shown.tiles) == (3, 4)


def test_one_seed_has_no_interval_and_is_called_so() -> None:
    document = steps(experiment(seeds=(3,)))
    (cells,) = [row for row in document.panels[0].rows if row[0].text == "second − first"]
    assert cells[1].text.endswith("(one seed)")
    assert np.isnan(value(document, "second", "first", "mIoU").low)
    assert any("One seed: no interval" in note.text for note in document.panels[0].notes)


def test_several_seeds_on_one_tile_have_no_interval_for_want_of_tiles() -> None:
    runs = [*scored("first", 10, 4, tiles=1), *scored("second", 12, 3, tiles=1)]
    (cells,) = steps(runs, ("first", "second")).panels[0].rows
    assert cells[1].text.endswith("(one tile)")


def test_rows_say_what_they_change_of_the_row_before() -> None:
    """Not of what most rows have: of these three, two have the first one's epochs, and two the last one's loss."""
    recipes = {
        "first": {"epochs": 120, "height_loss": "l1"},
        "second": {"epochs": 120, "height_loss": "huber"},
        "third": {"epochs": 240, "height_loss": "huber"},
    }
    runs = [
        entry.model_copy(update={"network": D3NetSpec(), "training": TrainingSpec.parse(recipes[entry.method], "")})
        for entry in experiment()
    ]
    before, _, first, _ = steps(runs).panels
    pixels = "2 times the training pixels (updates x batch x area of a patch)"
    assert [note.text for note in before.notes if "instead of" in note.text] == [
        "second − first: training.height_loss huber instead of l1.",
        f"third − second: training.epochs 240 instead of 120; {pixels}.",
    ]
    assert not [note for note in first.notes if "instead of" in note.text]


def test_an_ensemble_is_compared_with_a_network_by_their_predictions_alone() -> None:
    single = [
        entry.model_copy(update={"network": D3NetSpec(), "prediction": PredictionSpec()})
        for entry in scored("first", 10, 4)
    ]
    views = PredictionSpec.parse({"views": ["scales"]}, "")
    mean = [
        entry.model_copy(update={"ensemble": ("town/first/seed0",), "prediction": views})
        for entry in scored("mean", 14, 2)
    ]
    notes = [note.text for note in steps([*single, *mean], ("first", "mean")).panels[0].notes]
    assert "mean − first: prediction.views scales instead of none." in notes


def test_rows_that_are_ensembles_are_explained() -> None:
    mean = [entry.model_copy(update={"ensemble": ("town/first/seed0",)}) for entry in scored("mean", 14, 2, (0,))]
    notes = [note.text for note in steps([*experiment(), *mean], ("first", "mean")).panels[0].notes]
    assert any(note.startswith("mean: an ensemble, ") for note in notes)


def test_row_that_lacks_a_task_has_dashes_and_a_missing_row_is_passed_over(tmp_path: Any) -> None:
    lone = [run("lone", seed, [tile((), TRUE, [height + 2 for height in TRUE])] * 2) for seed in (0, 1)]
    document = steps([*experiment(), *lone], ("first", "absent", "second", "lone"))
    panel = document.panels[0]
    assert [row[0].text for row in panel.rows] == ["second − first", "lone − second"]
    assert "Passed over, as not scored on this data set: absent." in [note.text for note in panel.notes]
    assert text(panel, "lone − second", "mIoU (points)") == "–"
    assert text(panel, "lone − second", "MAE (%)") != "–"
    write_tables([*experiment(), *lone], tmp_path, ablations={"town": [("first", "second", "lone")]})
    assert "lone − second" in (tmp_path / "town_steps.md").read_text(encoding="utf-8")


def text(panel: Panel, name: str, header: str) -> str:
    (cells,) = [row for row in panel.rows if row[0].text == name]
    return cells[panel.header.index(header)].text


def test_tables_without_an_ablation_have_no_steps(tmp_path: Any) -> None:
    write_tables(experiment(), tmp_path)
    assert not (tmp_path / "town_steps.md").exists()


def test_steps_that_are_no_rows_are_refused() -> None:
    assert "run.steps.0: found 'bot'; expected selected methods (both). Did you mean both?" in refusal(
        {"run": {"steps": [["both", "bot"]]}}
    )
    assert "run.steps.0" in refusal({"run": {"steps": [["both"]]}})
    assert "both twice" in refusal({"run": {"steps": [["both", "both"]]}})

"""Bold numbers: only what a paired comparison with the runner-up tells apart."""

from collections.abc import Sequence

import numpy as np

from mtlaerial.reporting.tables import build_documents
from mtlaerial.reporting.tables.panels import Panel
from mtlaerial.scoring.scores import Scores
from support.sample_scores import run, tile

TILES = 6


def trained(method: str, quality: float, seeds: int = 5, noise: float = 0.01, generator: int = 0) -> list[Scores]:
    """Make runs whose share of right pixels, and of right heights, is the quality, with noise between seeds."""
    random = np.random.default_rng(generator)
    runs = []
    for seed in range(seeds):
        share = quality + random.normal(0, noise)
        hits = round(1000 * share)
        true = [0.5, 4.0, 8.0] * 4
        predicted = [height + 4 * (1 - share) for height in true]
        one = tile([[hits, 1000 - hits, 0], [1000 - hits, hits, 0]], true, predicted, near=(hits, hits))
        runs.append(run(method, seed, [one] * TILES))
    return runs


def bold(runs: Sequence[Scores]) -> dict[str, set[str]]:
    """Return the methods that are bold in any table, by score."""
    chosen: dict[str, set[str]] = {}
    for panel in (panel for document in build_documents(runs)[:-2] for panel in document.panels):
        for method, header, is_bold in cells(panel):
            chosen.setdefault(header, set()).update({method} if is_bold else ())
    return chosen


def cells(panel: Panel) -> list[tuple[str, str, bool]]:
    """Return method, score and boldness of each cell; a table may lie on its side."""
    entries = []
    for row in panel.rows:
        entries += [(row[0].text, name, cell.bold) for name, cell in zip(panel.header, row, strict=True)][1:]
    sideways = any(row[0].text == "MAE (m)" for row in panel.rows)
    return [(name, first, is_bold) for first, name, is_bold in entries] if sideways else entries


def test_the_best_is_bold_where_it_is_better_than_the_runner_up() -> None:
    chosen = bold([*trained("good", 0.9), *trained("middling", 0.8, generator=1), *trained("bad", 0.75, generator=2)])
    for score in ("OA (%)", "AA (%)", "κ (%)", "mIoU (%)", "mIoU-3 (%)", "F1 road (%)", "MAE (m)", "REL, h > 1 (%)"):
        assert chosen[score] == {"good"}, score
    assert chosen["bias (m)"] == set()


def test_a_lead_that_chance_explains_is_not_bold() -> None:
    runs = [*trained("one", 0.82, noise=0.05), *trained("two", 0.80, noise=0.05, generator=1)]
    assert set().union(*bold(runs).values()) == set()


def test_few_seeds_need_a_larger_lead() -> None:
    """Student's quantile of two seeds is 12.7, of five 2.8; one seed tells nothing."""
    of_five, of_two, of_one = (
        [*trained("good", 0.825, seeds), *trained("bad", 0.8, seeds, generator=2)] for seeds in (5, 2, 1)
    )
    assert bold(of_five)["OA (%)"] == {"good"}
    assert bold(of_two)["OA (%)"] == bold(of_two)["MAE (m)"] == set()
    assert set().union(*bold(of_one).values()) == set()


def test_ties_and_lone_methods_are_not_bold() -> None:
    same = trained("one", 0.8)
    twin = [entry.model_copy(update={"method": "two"}) for entry in same]
    assert set().union(*bold([*same, *twin]).values()) == set()
    assert set().union(*bold(same).values()) == set()


def test_a_method_that_the_constant_beats_is_not_bold() -> None:
    """The majority class is right in 90 of 100 pixels; heights beat the median of 1 m."""
    runs = []
    for method, hits in (("good", 60), ("bad", 40)):
        for seed in range(5):
            confusion = [[10, 0, 0], [90 - hits - seed, hits + seed, 0]]
            entry = tile(confusion, [4.0, 8.0], [4.0 + 60 / hits, 8.0])
            runs.append(run(method, seed, [entry] * TILES))
    chosen = bold(runs)
    assert chosen["OA (%)"] == set()
    assert chosen["MAE (m)"] == {"good"}


def test_the_rule_stands_under_the_tables_with_bold_numbers() -> None:
    panel = build_documents([*trained("one", 0.8), *trained("two", 0.7)])[0].panels[0]
    (rule,) = (note.text for note in panel.notes if note.text.startswith("Bold"))
    for words in ("runner-up", "95 % confidence", "seeds and test tiles", "each number by itself"):
        assert words in rule
    documents = build_documents([*trained("equal", 0.7), *trained("other", 0.8, generator=1)])
    for table in (table for document in documents[-2:] for table in document.panels):  # verdicts, and every score
        assert not any(cell.bold for row in table.rows for cell in row)
        assert not any(note.text.startswith("Bold") for note in table.notes)
    lone = build_documents(trained("one", 0.8))[0].panels[0]
    assert not any(note.text.startswith("Bold") for note in lone.notes)
    assert "Bold" not in lone.caption


def test_a_class_in_one_tile_is_not_told_apart() -> None:
    """The other tiles say nothing about it, however many they are."""
    runs = []
    for method, hits in (("good", 900), ("bad", 700)):
        for seed in range(5):
            common = [hits + seed, 1000 - hits - seed, 0]
            with_house = tile([common, [1000 - hits - seed, hits + seed, 0]])
            runs.append(run(method, seed, [with_house, *[tile([common, [0, 0, 0]])] * (TILES - 1)]))
    chosen = bold(runs)
    assert chosen["F1 road (%)"] == {"good"}
    assert chosen["F1 house (%)"] == set()

"""Consistency between tasks in the tables."""

from mtlaerial.config.consistency import ConsistencyRule
from mtlaerial.reporting.folds import Evaluation, pool_folds
from mtlaerial.reporting.tables import build_documents, collect
from mtlaerial.scoring.scores import Scores
from support.sample_scores import run, tile

RULES = {"house": ConsistencyRule(height=">= 2")}
TRUE = {"overall": (3, 100), "class house": (3, 30)}


def scored(method: str, seed: int = 0, broken: int = 10, **changes: object) -> Scores:
    counts = {"violations": {"overall": (broken, 100), "class house": (broken, 40)}, "true_violations": TRUE}
    tiles = [tile([[8, 0, 0], [1, 11, 0]], [0.0, 4.0, 8.0], [0.0, 3.0, 7.0], **counts) for _ in range(2)]
    return run(method, seed, tiles, **{"consistency": RULES, **changes})


def notes_of(runs: list[Scores]) -> str:
    return " ".join(note.text for note in build_documents(runs)[0].panels[0].notes)


def cell(runs: list[Scores], method: str, header: str = "violations (%)") -> str:
    panel = build_documents(runs)[0].panels[0]
    table = {row[0].text: [entry.text for entry in row] for row in panel.rows}
    if header in panel.header:
        return table[method][panel.header.index(header)]
    return table[header][panel.header.index(method)]


def test_the_main_table_has_the_share_of_all_cells_and_the_note_that_of_the_truth() -> None:
    runs = [scored("net"), scored("single", broken=30)]
    assert (cell(runs, "net"), cell(runs, "single"), cell(runs, "constant")) == ("10.00", "30.00", "–")
    notes = notes_of(runs)
    assert "heights that fit: house >= 2 m. In the ground truth: 3.00 %." in notes
    assert "Not scored by these rules" not in notes


def test_the_list_of_all_scores_has_the_shares_of_classes() -> None:
    table = collect([scored("net")])
    rows = table[(table["score"] == "violations") & (table["pooling"] == "pooled")]
    assert dict(zip(rows["group"], rows["value"], strict=True)) == {"overall": 0.1, "class house": 0.25}
    everything = build_documents([scored("net")])[-1].panels[0]
    assert "violations, house (%)" in [row[0].text for row in everything.rows]


def test_the_share_is_never_bold() -> None:
    runs = [scored(method, seed, broken) for seed in range(5) for method, broken in (("net", 1 + seed), ("weak", 50))]
    for document in build_documents(runs):
        for panel in document.panels:
            rows = [row for row in panel.rows if row[0].text.startswith("violations")]
            assert not [entry for row in rows for entry in row if entry.bold]


def test_rows_scored_by_other_rules_or_by_none_have_a_dash_and_are_named() -> None:
    other = {"house": ConsistencyRule(height=">= 5")}
    runs = [scored("net"), scored("older", consistency=other), scored("taken", consistency={})]
    assert [cell(runs, method) for method in ("net", "older", "taken")] == ["10.00", "–", "–"]
    assert "Not scored by these rules: older, taken." in notes_of(runs)


def test_folds_scored_by_different_rules_have_no_common_share() -> None:
    folds = {"town": Evaluation(folds=("town.a", "town.b"), protocol="areas")}
    names = iter(("north", "south"))

    def fold(name: str, **changes: object) -> Scores:
        scores = scored("net", dataset=name, **changes)
        return scores.model_copy(update={"tiles": {next(names): next(iter(scores.tiles.values()))}})

    (pooled,) = pool_folds([fold("town.a"), fold("town.b", consistency={})], folds)
    assert pooled.consistency == {}
    assert "violations" not in set(collect([pooled])["score"])


def test_tables_without_rules_have_no_such_column() -> None:
    table = collect([run("net", 0, [tile([[8, 0, 0], [1, 11, 0]], [0.0, 4.0], [0.0, 3.0])])])
    assert "violations" not in set(table["score"])

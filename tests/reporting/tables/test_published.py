"""Published numbers beside ours, other units, and the table of everything."""

import re

import pandas as pd
import pytest

from mtlaerial.config import load_dataset
from mtlaerial.config.published import PublishedSpec
from mtlaerial.errors import ConfigError
from mtlaerial.reporting.tables import build_documents, write_tables
from mtlaerial.reporting.tables.published import protocol
from mtlaerial.reporting.tables.render import latex, markdown
from support.sample_scores import experiment, run, tile
from support.tiny import CONFIG

SCORE = re.compile(r"\((%|m|25\.5 m|unit not stated)\)$")
ABSTRACT = {"name": "JointNet", "source": "A journal, abstract", "url": "https://example.org/a_b"}


def entry(scores, **changes):
    return PublishedSpec.parse({**ABSTRACT, "scores": scores, **changes}, "published")


def by_name(panel):
    """Return the cells of each method and source by score, whichever of them the rows are."""
    columns = [[cell.text for cell in cells] for cells in panel.rows]
    if any(SCORE.search(name) for name in panel.header[1:]):
        return {name: dict(zip(panel.header[1:], values, strict=True)) for name, *values in columns}
    scores, *values = zip(*columns, strict=True)
    return {name: dict(zip(scores, row, strict=True)) for name, row in zip(panel.header[1:], values, strict=True)}


def shown(entries, runs=None):
    """Return the published numbers of each source by score, and the notes' texts."""
    panel = build_documents(runs or experiment(), {"town": entries})[0].panels[0]
    sources = {name: cells for name, cells in by_name(panel).items() if "[" in name}
    published = {name: {score: text for score, text in cells.items() if text} for name, cells in sources.items()}
    return published, [note.text for note in panel.notes]


def test_each_source_has_a_row_of_its_own():
    cells, notes = shown(
        [entry({"OA": 0.9116, "REL": 0.261}), entry({"OA": 0.9, "RMSE": 1.283}, name="Other", error_unit=1)]
    )
    assert cells == {
        "JointNet [1]": {"OA (%)": "91.16", "REL, h > 0 (%)": "26.1"},
        "Other [2]": {"OA (%)": "90", "RMSE (m)": "1.283"},
    }
    assert "[1], [2]: published by others, not run here; compare only where the protocols agree." in notes
    assert any(note.startswith("[1] JointNet: A journal, abstract.") for note in notes)
    assert any(note.startswith("[2] Other") for note in notes)


@pytest.mark.parametrize("methods", [3, 10])
def test_many_sources_stand_in_rows_below_the_methods(methods):
    runs = [run(f"method{number}", 0, [tile([[5, 1, 0], [0, 4, 0]], [4.0], [5.0])]) for number in range(methods)]
    entries = [entry({"OA": 0.9, "MAE": 0.7, "RMSE": 1, "delta1": 0.5}, name=f"Net{n}") for n in range(8)]
    panels = build_documents(runs, {"town": entries})[0].panels
    assert max(len(panel.header) for panel in panels) <= 9
    numbers = {}
    for panel in panels:
        for name, cells in by_name(panel).items():
            numbers.setdefault(name, {}).update(cells)
    for number in range(1, 9):
        cells = numbers[f"Net{number - 1} [{number}]"]
        assert {score: text for score, text in cells.items() if text} == {
            "OA (%)": "90",
            "δ1, h > 0 (%)": "50",
            "MAE (unit not stated)": "0.7",
            "RMSE (unit not stated)": "1",
        }


def test_scores_of_both_tasks_and_of_objects_can_be_published():
    cells, notes = shown([entry({"mIoU-3": 0.745, "F1-HE1": 0.5, "PFA": 0.02})])
    assert cells == {"JointNet [1]": {"mIoU-3 (%)": "74.5", "F1-HE, 1.25 (%)": "50", "PFA (%)": "2"}}
    assert any("IEEE DFC2019" in note for note in notes)


def test_no_row_without_published_numbers():
    documents = build_documents(experiment(), {"elsewhere": [entry({"OA": 0.9})]})
    assert not any("[1]" in name for document in documents[:-1] for panel in document.panels for name in by_name(panel))
    (f1,) = (p for p in build_documents(experiment(), {"town": [entry({"OA": 0.9})]})[0].panels if p.key == "town-f1")
    assert "JointNet [1]" not in by_name(f1)
    assert not any("JointNet" in note.text for note in f1.notes)


def test_facts_missing_from_a_source_are_noted():
    assert protocol(entry({"OA": 0.9})) == "Protocol not stated: split, pooling, class boundaries, which classes"
    assert protocol(entry({"MAE": 0.9})) == "Protocol not stated: split, pooling, which heights, unit of heights"
    stated = {"split": "areas 1-4", "pooling": "tile mean", "heights": "positive", "error_unit": 1}
    text = "Split: areas 1-4, mean of the tiles' scores, heights above 0 only, heights in metres"
    assert protocol(entry({"MAE": 0.9}, **stated)) == text
    assert protocol(entry({"OA": 0.9}, labels="eroded", split="DFC tiles")).startswith(
        "Split: DFC tiles, eroded ground"
    )


def test_numbers_go_beside_scores_of_their_own_protocol():
    eroded = [tile([[5, 1, 0], [0, 4, 0]], [4.0], [5.0], eroded=[[4, 0, 0], [0, 3, 0]])]
    runs = [run("joint", 0, eroded, height_unit=25.5)]
    cells, notes = shown(
        [entry({"OA": 0.9}, labels="eroded"), entry({"MAE": 0.04}, heights="positive", error_unit=25.5)], runs
    )
    assert cells == {
        "JointNet [1]": {"OA, eroded (%)": "90"},
        "JointNet [2]": {"MAE, h > 0 (m)": "1.02", "MAE, h > 0 (25.5 m)": "0.04"},
    }
    assert any(note.startswith("(25.5 m):") for note in notes)


def test_a_number_on_truth_that_is_not_here_is_shown_beside_dashes():
    panel = build_documents(experiment(), {"town": [entry({"OA": 0.9}, labels="eroded")]})[0].panels[0]
    row = next(row for row in panel.rows if row[0].text == "OA, eroded (%)")
    assert [cell.text for cell in row[1:]] == ["–", "–", "–", "–", "90"]


def test_an_error_without_a_stated_unit_does_not_stand_under_metres():
    runs = [run("joint", 0, [tile([[5, 1, 0], [0, 4, 0]], [4.0], [5.0])], height_unit=25.5)]
    numbers = [entry({"MAE": 0.783}), entry({"RMSE": 1.2}, heights="positive", error_unit=1)]
    cells, notes = shown(numbers, runs)
    assert cells["JointNet [1]"] == {"MAE (unit not stated)": "0.783"}
    assert cells["JointNet [2]"] == {"RMSE, h > 0 (m)": "1.2", "RMSE, h > 0 (25.5 m)": "0.0471"}
    assert any(note.startswith("unit not stated:") for note in notes)
    panel = build_documents(runs, {"town": numbers})[0].panels[0]
    assert by_name(panel)["joint"]["MAE (unit not stated)"] == "–"
    assert "MAE (unit not stated)" not in build_documents(runs, {"town": numbers})[0].wide


def test_height_errors_are_given_in_another_unit_too():
    runs = [run("joint", 0, [tile((), [4.0, 0.0], [9.1, 0.0])], height_unit=25.5)]
    panel = build_documents(runs)[0].panels[0]
    column = panel.header.index("joint")
    cells = {row[0].text: row[column].text for row in panel.rows}
    assert (cells["MAE (m)"], cells["MAE (25.5 m)"], cells["MAE, h > 0 (25.5 m)"]) == ("2.550", "0.1000", "0.2000")
    assert "MAE (25.5 m)" not in [row[0].text for row in build_documents(experiment())[0].panels[0].rows]


@pytest.mark.parametrize("methods", [3, 14])
def test_every_number_is_shown_whatever_the_shape(methods):
    away = [tile([[5, 1, 0], [0, 4, 0]], [4.0], [5.0], eroded=[[4, 0, 0], [0, 3, 0]])]
    runs = [run(f"method{number}", 0, away, height_unit=25.5) for number in range(methods)]
    panels = build_documents(runs, {"town": [entry({"OA": 0.9, "MAE": 0.7})]})[0].panels
    titles = {title for panel in panels for title in panel.header}
    titles |= {row[0].text for panel in panels for row in panel.rows}
    assert titles >= {
        "OA (%)",
        "mIoU, eroded (%)",
        "MAE (25.5 m)",
        "RMSE, h > 0 (25.5 m)",
        "δ3, h > 1 (%)",
        "JointNet [1]",
    }
    assert titles >= {f"method{number}" for number in range(methods)}
    assert "90" in [cell.text for row in panels[0].rows for cell in row]
    assert max(len(panel.header) for panel in panels) <= 9


@pytest.fixture
def everything(tmp_path):
    runs = [entry.model_copy(update={"height_unit": 25.5}) for entry in experiment()]
    city = run("joint", 0, [tile([[5, 1, 0], [0, 9, 0]])], dataset="city", title="City")
    numbers = [
        entry({"OA": 0.9116}),
        entry({"MAE": 0.0312}, heights="positive", error_unit=25.5, pooling="tile mean"),
        entry({"MAE": 0.783}),
    ]
    write_tables([*runs, city], tmp_path, {"town": numbers})
    return tmp_path


def test_everything_has_each_mean_of_each_unit_once(everything):
    table = pd.read_csv(everything / "everything.csv")
    keys = ["dataset", "method", "pooling", "mask", "group", "score", "unit"]
    assert list(table.columns) == [*keys, "mean", "std", "n", "published", "source"]
    assert not table.duplicated(keys).any()
    assert set(table["dataset"]) == {"town", "city"}
    one = table.set_index(keys).sort_index().loc["town", "joint", "pooled", "all", "overall"]
    assert one.loc[("MAE", "m"), "mean"] == pytest.approx(5 / 12)
    assert one.loc[("MAE", "25.5 m"), "mean"] == pytest.approx(5 / 12 / 25.5)
    assert one.loc[("MAE", "25.5 m"), "std"] == pytest.approx(one.loc[("MAE", "m"), "std"] / 25.5)
    assert one.loc[("OA", "fraction"), "mean"] == pytest.approx(0.95)
    assert set(table[table["dataset"] == "city"]["unit"]) == {"fraction"}


def test_everything_has_what_is_published_where_it_belongs(everything):
    table = pd.read_csv(everything / "everything.csv")
    rows = table[table["published"].notna()]
    assert set(rows["dataset"]) == {"town"}
    assert rows[["mean", "std"]].isna().all(axis=None)
    places = rows[["method", "pooling", "mask", "group", "score", "unit", "published"]]
    assert sorted(places.itertuples(index=False, name=None)) == [
        ("JointNet [1]", "not stated", "all", "overall", "OA", "fraction", 0.9116),
        ("JointNet [2]", "tile mean", "positive", "overall", "MAE", "25.5 m", 0.0312),
        ("JointNet [2]", "tile mean", "positive", "overall", "MAE", "m", 0.7956),
        ("JointNet [3]", "not stated", "all", "overall", "MAE", "not stated", 0.783),
    ]
    panel = build_documents(experiment(), {"town": [entry({"MAE": 0.783})]})[-1].panels[0]
    (row,) = ([cell.text for cell in row] for row in panel.rows if row[1].text == "JointNet [1]")
    assert row == ["MAE (unit not stated)", "JointNet [1]", "", "", "", "0.783"]
    sources = set(rows["source"])
    assert all(source.startswith("JointNet: A journal, abstract <https://example.org/a_b>") for source in sources)
    assert any(
        source.endswith("(Protocol not stated: split, pooling, class boundaries, which classes)") for source in sources
    )


def test_addresses_survive_markdown_and_latex():
    document = build_documents(experiment(), {"town": [entry({"OA": 0.9})]})[0]
    assert "<https://example.org/a_b>" in markdown(document)
    assert r"\url{https://example.org/a_b}" in latex(document)


def test_the_long_table_may_break_over_pages(everything):
    text = (everything / "everything.tex").read_text()
    assert text.count(r"\begin{longtable}") == text.count(r"\end{longtable}") == 2
    assert "table*" not in text
    assert text.count(r"\label{tab:town-everything}") == 1
    columns = {line.replace(r"\&", "").count("&") for line in text.splitlines() if line.endswith(r"\\") and "&" in line}
    assert columns == {5}


def test_percentages_are_refused():
    with pytest.raises(ConfigError, match=r"scores\.OA: found 91\.16; expected a fraction of at most 1"):
        entry({"OA": 91.16})


def test_the_published_numbers_that_are_shipped():
    entries = load_dataset(CONFIG / "datasets" / "vaihingen.yaml").published
    cells, notes = shown(entries)
    assert list(cells.values()) == [
        {"OA (%)": "91.16", "mIoU (%)": "82.88", "REL, h > 0 (%)": "26.1", "RMSE (unit not stated)": "1.283"},
        {"MAE (unit not stated)": "0.783"},
    ]
    assert all("rotocol not stated:" in note for note in notes if re.match(r"\[\d] ", note))

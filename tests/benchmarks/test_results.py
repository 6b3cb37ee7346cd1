"""Marked blocks of docs/results.md: as the finished rows say, and filled where they are not."""

import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from mtlaerial.errors import DataError
from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.run_keys import run_keys
from mtlaerial.scoring.finished_row import FinishedRow, load_row, save_row
from support.sample_scores import run, tile

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "results.md"


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import results

    return results


def blocks_of(study: str) -> str:
    """Return the blocks of a study on the page."""
    text = PAGE.read_text(encoding="utf-8")
    return "\n\n".join(re.findall(rf"<!-- {study}: \S+ -->\n.*?<!-- end -->", text, re.DOTALL))


@pytest.mark.parametrize("study", sorted(set(re.findall(r"<!-- (\w+): ", PAGE.read_text(encoding="utf-8")))))
@pytest.mark.quick_cases(2, "each reads all rows of a study")
def test_tables_of_the_page_are_those_of_its_rows(results: Any, study: str) -> None:
    text = blocks_of(study)
    assert results.differing_blocks(text) == [], "make results"
    assert text.count(f"<!-- {study}: ") > text.count("The labels are no human reference"), "each note once"


def test_changed_number_is_noticed_and_mended(results: Any) -> None:
    text = blocks_of("equal_minutes")
    block = results.BLOCK.search(text)
    digit = next(place for place in range(block.start(), block.end()) if text[place : place + 2] == "| ")
    changed = text[: digit + 2] + "9" + text[digit + 2 :]
    assert results.differing_blocks(changed) == [f"{block['study']}: {block['panel']}"]
    assert results.filled(changed) == text


def test_unknown_table_is_refused_by_name(results: Any) -> None:
    with pytest.raises(results.ConfigError, match=r"found the block equal_minutes: nothing; expected one of autzen"):
        results.filled("<!-- equal_minutes: nothing -->\n<!-- end -->")


@pytest.fixture
def folds(results: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the rows of a study with two folds, two methods and two seeds."""
    monkeypatch.setattr(results, "ROOT", tmp_path)
    results._panels.cache_clear()
    labels = {"files": "{tile}.tif", "note": "Labels follow from heights.", "classes": [
        {"name": name, "colour": [code, 0, 0], "values": [code]} for code, name in enumerate(("road", "house"))
    ]}  # fmt: skip
    spec = {
        "title": "Small town", "licence": "none", "obtain": "Ask.", "gsd": 0.5, "image": {"files": "{tile}.tif"},
        "height": {"files": "{tile}.tif"}, "labels": labels, "areas": {"north": ["t1"], "south": ["t2"]},
    }  # fmt: skip
    both = {"tasks": ["semantics", "height"], "model": "net"}
    configuration = {
        "run": {"datasets": ["town"], "methods": ["equal", "other"], "seeds": [0, 1], "comparison": {"margin": 0.3}},
        "datasets": {"town": {"spec": "town.yaml", "root": "town"}, "town_2": {"spec": "none.yaml", "root": "town"}},
        "models": {"net": {}},
        "methods": {"equal": both, "other": both},
    }
    (tmp_path / "config").mkdir()
    (tmp_path / "town.yaml").write_text(yaml.safe_dump(spec))
    (tmp_path / "config" / "config.yaml").write_text(yaml.safe_dump(configuration))
    (tmp_path / "config" / "folds.yaml").write_text("{}")
    monkeypatch.chdir(tmp_path)
    project = Project.of(configuration)
    for (area, name), method, seed in product((("north", "t1"), ("south", "t2")), ("equal", "other"), (0, 1)):
        entry = tile([[6 + seed, 2, 0], [1, 11, 0]], [0.0, 4.0], [1.0, 3.0])
        scores = run(method, seed, [entry], dataset=f"town.{area}").model_copy(update={"tiles": {name: entry}})
        keys = dict(run_keys(project, scores.dataset, method, seed).values)
        row = FinishedRow(config="", machine="", keys=keys, tiles={}, scores=scores)
        save_row(row, tmp_path / f"docs/data/folds/town.{area}/{method}.seed{seed}.json")
    return tmp_path / "docs/data/folds"


def test_rows_of_folds_are_one_table_with_the_margin_and_the_notes_of_the_study(results: Any, folds: Path) -> None:
    page = results.filled("<!-- folds: town-weightings -->\n<!-- end -->")
    assert "over seeds (2) and test tiles (2), paired; all intervals of the table (1)" in page
    assert "equivalent: it lies within ±30 %" in page
    assert "Labels follow from heights." in page
    assert "2 areas, each tested by a training on all others" in page


def changed_row(path: Path, out: Path, **changes: Any) -> None:
    row = load_row(path)
    scores = row.scores.model_copy(update=changes.pop("scores", {}))
    save_row(row.model_copy(update={"scores": scores, **changes}), out)


@pytest.mark.parametrize(
    ("scores", "found"),
    [
        ({"seed": 9}, "found a row of other, seed 9, on town.north; expected a run that the study's configuration"),
        ({"method": "third"}, "found a row of third, seed 1, on town.north; expected a run"),
    ],
)
def test_a_row_of_no_run_of_the_study_is_refused(results: Any, folds: Path, scores: dict[str, Any], found: str) -> None:
    path = folds / "town.north" / "other.seed1.json"
    changed_row(path, path.with_name("more.seed1.json"), scores=scores)
    with pytest.raises(DataError, match=found):
        results.filled("<!-- folds: town-weightings -->\n<!-- end -->")


def test_a_row_of_other_keys_is_refused(results: Any, folds: Path) -> None:
    path = folds / "town.north" / "other.seed1.json"
    changed_row(path, path, keys=load_row(path).keys | {"predict.prediction.window": 999})
    with pytest.raises(
        DataError, match=r"other\.seed1\.json: found a row of other keys \(predict\.prediction\.window 999"
    ):
        results.filled("<!-- folds: town-weightings -->\n<!-- end -->")

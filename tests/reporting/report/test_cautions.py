"""Cautions of the report: mixed code and tiles, generated data, warnings of the data checks."""

import re

from mtlaerial.datasets.check import DatasetReport, Finding, TileReport
from mtlaerial.reporting.mixtures import mixtures
from support.sample_scores import experiment, run, tile


def test_mixed_code_versions_and_tiles_are_flagged(page):
    runs = experiment()
    assert mixtures(runs) == []
    assert 'class="alarm"' not in page(runs)
    runs[0] = runs[0].model_copy(update={"code": "ffff"})
    (alarm,) = mixtures(runs)
    assert "different code" in alarm
    assert "ffff: only-classes seed 1" in alarm
    assert page(runs).index('class="alarm"') < page(runs).index("<h2 ")
    runs[1] = runs[1].model_copy(update={"mtlaerial": "0.0.9", "tiles": {"other": runs[1].tiles["t0"]}})
    assert [kind in " ".join(mixtures(runs)) for kind in ("versions", "code", "test tiles")] == [True] * 3


def test_test_tiles_are_compared_in_any_order_and_listed_in_short():
    one = tile([[5, 1, 0], [0, 9, 0]])
    few, many = run("few", 0, [one] * 20), run("many", 0, [one] * 100)
    backwards = few.model_copy(update={"seed": 1, "tiles": dict(reversed(few.tiles.items()))})
    assert mixtures([few, backwards]) == []
    (alarm,) = mixtures([few, many])
    assert "and 12 more: few seed 0" in alarm
    assert "and 92 more: many seed 0" in alarm


def test_mixed_scoring_code_is_flagged_where_it_is_known():
    first, second, *others = experiment()
    first = first.model_copy(update={"scoring_code": "eeee"})
    assert mixtures([first, second, *others]) == []
    (alarm,) = mixtures([first, second.model_copy(update={"scoring_code": "ffff"}), *others])
    assert "different scoring code" in alarm


def test_code_that_imported_weights_is_not_compared_with_code_that_trained():
    imported, *others = experiment()
    assert mixtures([imported.model_copy(update={"code": "ffff", "weighting": "unknown"}), *others]) == []


def test_generated_data_is_said(page):
    assert "generated data" not in page(experiment()).lower()
    runs = [entry.model_copy(update={"generated": True}) for entry in experiment()]
    assert 'class="generated"' in page(runs, generated=True)


def test_style_and_noise_of_generated_data_are_said(page, tmp_path):
    phrase = "style organic; noise: image 0.02 of its range"
    tile_report = TileReport(dataset="town", tile="a", split="train", generated=True, generation=phrase, findings=(),
                             image=None, height=None, labels=None, eroded=None)  # fmt: skip
    (tmp_path / "town.json").write_text(
        DatasetReport(dataset="town", tiles=(tile_report,), splits=()).model_dump_json()
    )
    text = page(experiment(), checks=[tmp_path / "town.json"], generated=True)
    assert f"were made by a program ({phrase}): the scores" in re.sub(r"\s+", " ", text)
    assert f"(generated data: {phrase})" in text


def test_warnings_of_the_data_checks(page, tmp_path):
    finding = Finding(level="warning", where="a.tif", found="61 % <no-data>", expected="at most half", remedy="Look.")
    report = TileReport(dataset="town", tile="a", split="train", generated=False, findings=(finding,), image=None,
                        height=None, labels=None, eroded=None)  # fmt: skip
    for name in ("town", "elsewhere"):
        checks = DatasetReport(dataset=name, tiles=(report.model_copy(update={"dataset": name}),), splits=())
        (tmp_path / f"{name}.json").write_text(checks.model_dump_json())
    text = page(experiment(), checks=[tmp_path / "town.json", tmp_path / "elsewhere.json"])
    assert "61 % &lt;no-data&gt;" in text
    assert "Warnings of the data checks." in text
    assert '<a href="#town-data">The data checks have 1 warning.</a>' in text
    assert "1 warning" in text
    assert "elsewhere" not in text

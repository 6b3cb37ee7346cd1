import base64
import re
from html.parser import HTMLParser
from io import BytesIO

import pytest
from PIL import Image

from mtlaerial.config import DatasetSpec
from mtlaerial.datasets.check import DatasetReport, Finding, TileReport
from mtlaerial.figures import confusion_figure
from mtlaerial.reporting.mixtures import mixtures
from mtlaerial.reporting.report import MAPPED, write_report
from mtlaerial.reporting.trainings import TrainingFacts
from mtlaerial.runs.cost import Cost
from support.sample_scores import experiment, run, tile

MEASURED = re.compile(r'<td class="measured">.*?</td>')
MALICIOUS = '<script>alert("x")</script>'


def specification(generated=False, **changes) -> DatasetSpec:
    values = {
        "title": "Small town", "licence": "CC BY 4.0 & more", "citation": "Doe 2020", "obtain": "Ask.",
        "generated": generated, "image": {"files": "{tile}.tif"}, "height": {"files": "{tile}.tif"},
        "splits": {"train": ["a"], "test": ["t0"]},
    }  # fmt: skip
    return DatasetSpec.parse(values | changes, "test")


@pytest.fixture
def page(tmp_path):
    def write(scores, figures=(), checks=(), costs=None, **changes):
        path = tmp_path / "report.html"
        write_report(scores, {"town": specification(**changes)}, figures, checks, path, costs)
        return path.read_text(encoding="utf-8")

    return write


class Structure(HTMLParser):
    """Checks that elements are closed, and collects addresses of other files."""

    def __init__(self, text):
        super().__init__()
        self.open, self.addresses, self.tags = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href")]
        if tag not in ("meta", "img", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_page_has_data_methods_tables_and_software(page):
    text = page(experiment())
    for words in ("Small town", "CC BY 4.0 &amp; more", "Doe 2020", "semantics and height; seeds 1, 2", "only-height",
                   "<td>0.417 ± 0.118</td>", "mIoU (%)", "torch"):  # fmt: skip
        assert words in re.sub(r"\s+", " ", text)
    structure = Structure(text)
    assert structure.open == []
    assert "script" not in structure.tags


def test_page_needs_no_other_file(page, tmp_path):
    confusion_figure(experiment()[:2], tmp_path / "confusion.png")
    text = page(experiment(), [tmp_path / "confusion.png"])
    addresses = [address for address in Structure(text).addresses if not address.startswith("#")]
    assert len(addresses) == 1
    picture = Image.open(BytesIO(base64.b64decode(addresses[0].removeprefix("data:image/webp;base64,"))))
    assert picture.size == Image.open(tmp_path / "confusion.png").size
    assert 'alt="Small town: confusion of only-classes. Shares in %' in text


def test_published_numbers_link_to_their_source(page):
    entry = {"name": "JointNet", "source": "A journal", "url": "https://example.org/a?b=1&c", "scores": {"OA": 0.9}}
    text = page(experiment(), published=[entry])
    assert "<td>90</td>" in text
    addresses = {address for address in Structure(text).addresses if not address.startswith("#")}
    assert addresses == {"https://example.org/a?b=1&c"}
    assert ">https://example.org/a?b=1&amp;c</a>" in text


def test_every_score_is_folded_away(page):
    text = page(experiment())
    assert text.count("<details>") == 1
    folded = text[text.index("<details>") : text.index("</details>")]
    assert "tile mean" in folded
    assert "tile mean" not in text.replace(folded, "")


def test_mixed_code_versions_and_tiles_are_flagged(page):
    runs = experiment()
    assert mixtures(runs) == []
    assert 'class="alarm"' not in page(runs)
    runs[0] = runs[0].model_copy(update={"code": "ffff"})
    (alarm,) = mixtures(runs)
    assert "different code" in alarm
    assert "ffff: only-classes seed 1" in alarm
    assert page(runs).index('class="alarm"') < page(runs).index("<h2>")
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


def test_different_data_sets_may_have_different_classes(tmp_path):
    city = run("joint", 0, [tile([[5, 1, 0], [0, 9, 0]])], dataset="city", classes=("a", "b"))
    path = tmp_path / "report.html"
    write_report([*experiment(), city], {"town": specification(), "city": specification()}, (), (), path)
    assert 'class="alarm"' not in path.read_text(encoding="utf-8")


def test_markup_in_names_is_escaped(page):
    runs = [run("m", 0, [tile([[5, 1, 0], [0, 9, 0]])], classes=(MALICIOUS, "b"), title=MALICIOUS)]
    text = page(runs, title=MALICIOUS)
    assert "<script" not in text
    assert "&lt;script&gt;" in text


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
    assert "1 warning" in text
    assert "elsewhere" not in text


def test_same_inputs_same_bytes(page, tmp_path):
    confusion_figure(experiment()[:2], tmp_path / "confusion.png")
    assert page(experiment(), [tmp_path / "confusion.png"]) == page(experiment(), [tmp_path / "confusion.png"])


def test_costs_are_in_cells_that_a_comparison_can_leave_out(page):
    runs = [*experiment(), *(entry.model_copy(update={"method": "other"}) for entry in experiment()[-2:])]

    def written(seconds):
        costs = {
            ("town", method, 1): Cost(seconds_per_step=value, peak_memory_mb=value, device="cpu")
            for method, value in (("joint", 1.0), ("other", seconds))
        }
        return page(runs, costs=costs)

    first, second = written(1.25), written(1.5)
    assert '<td class="measured">1.25</td>' in first
    assert first != second
    assert MEASURED.sub("", first) == MEASURED.sub("", second)
    assert "measured" not in page(runs)


def test_the_maps_of_further_test_tiles_are_left_to_their_folder(page, tmp_path):
    scores = [run("joint", 1, [tile([[6, 2, 0], [1, 11, 0]])] * (MAPPED + 2))]
    *_, last = scores[0].tiles
    # A figure of the method may be called as a tile is.
    figures = [*(tmp_path / "maps" / f"{name}.png" for name in scores[0].tiles), tmp_path / f"{last}.png"]
    for path in figures:
        confusion_figure(experiment()[:2], path)
    text = page(scores, figures)
    assert text.count("<figure>") == MAPPED + 1
    assert f"the maps of {MAPPED} of the {MAPPED + 2} test tiles" in text
    assert "With the maps of" not in page(experiment())


def test_figures_of_folds_are_shown_and_their_folders_named(tmp_path):
    scores = [run("joint", 1, [tile([[6, 2, 0], [1, 11, 0]])] * (MAPPED + 2))]
    folds = {"town.north": "town", "town.south": "town"}
    figures = [tmp_path / fold / "confusion.png" for fold in folds]
    for path in figures:
        confusion_figure([entry.model_copy(update={"dataset": path.parent.name}) for entry in experiment()[:2]], path)
    path = tmp_path / "report.html"
    write_report(scores, {"town": specification()}, figures, (), path, folds=folds)
    text = re.sub(r"\s+", " ", path.read_text(encoding="utf-8"))
    folders = "<code>figures/town.north</code>, <code>figures/town.south</code> beside this page"
    assert f"those of all are in the folders {folders}" in text
    assert text.count("<figure>") == 2
    assert "figures/town<" not in text


def test_page_has_the_budgets_of_trainings(tmp_path):
    path = tmp_path / "report.html"
    facts = {
        "town": TrainingFacts(budgets=["equal: 10 core-minutes: 812 updates", "height: 10 core-minutes: 700 updates"])
    }
    write_report(experiment(), {"town": specification()}, (), (), path, trainings=facts)
    text = path.read_text(encoding="utf-8")
    assert text.count("Budgets") == 1
    assert "<td>height: 10 core-minutes: 700 updates</td>" in text


def test_page_has_origin_and_licence_of_initial_weights(tmp_path):
    path = tmp_path / "report.html"
    facts = {
        "town": TrainingFacts(starts=["lite0 (encoder), licence Apache-2.0", "dense (encoder), licence BSD & more"])
    }
    write_report(experiment(), {"town": specification()}, (), (), path, trainings=facts)
    text = path.read_text(encoding="utf-8")
    assert text.count("Initial weights") == 1
    assert "<td>lite0 (encoder), licence Apache-2.0</td>" in text
    assert "<td>dense (encoder), licence BSD &amp; more</td>" in text

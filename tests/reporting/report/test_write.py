import base64
import hashlib
import html
import re
from html.parser import HTMLParser
from io import BytesIO

import pytest
from PIL import Image

from mtlaerial.datasets.check import DatasetReport, Finding, TileReport
from mtlaerial.figures import confusion_figure
from mtlaerial.reporting.mixtures import mixtures
from mtlaerial.reporting.report import FILES, ReportInputs, write, write_report
from mtlaerial.reporting.report.sources import LARGEST_PAGE
from mtlaerial.reporting.trainings import TrainingFacts
from mtlaerial.runs.cost import Cost
from support.report_place import report_inputs, specification
from support.sample_scores import experiment, run, tile

MEASURED = re.compile(r'<td class="measured">.*?</td>')
MALICIOUS = '<script>alert("x")</script>'
VOID = {"meta", "img", "link", "input"}
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="(.*?)">')
NO_ICON = "data:,"


@pytest.fixture
def page(tmp_path):
    def write_page(scores, figures=(), checks=(), costs=None, **changes):
        path = tmp_path / "report.html"
        write_report(ReportInputs(scores, {"town": specification(**changes)}, figures, checks, costs=costs or {}), path)
        return path.read_text(encoding="utf-8")

    return write_page


@pytest.fixture
def place(tmp_path):
    """Return the inputs of a report with tiles, and its page."""
    return report_inputs(tmp_path / "in", tiles=1, side=40), tmp_path / "out" / "report.html"


def body(text: str) -> str:
    """Return a page without its styles and scripts."""
    return re.sub(r"<(style|script)>.*?</\1>", "", text, flags=re.DOTALL)


class Structure(HTMLParser):
    """Checks that elements are closed, and collects addresses of other files, ids and names of attributes."""

    def __init__(self, text):
        super().__init__()
        self.open, self.addresses, self.ids, self.names = [], [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self._collect(attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self._collect(attributes)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def _collect(self, attributes):
        self.addresses += [value for name, value in attributes if name in ("src", "href") and value != NO_ICON]
        self.ids += [value for name, value in attributes if name == "id"]
        self.names |= {name for name, _ in attributes}


def test_page_has_data_methods_tables_and_software(page):
    text = page(experiment())
    for words in ("Small town", "CC BY 4.0 &amp; more", "Doe 2020", "<td>semantics and height</td>", "only-height",
                   "<td>0.417 ± 0.118</td>", "mIoU (%)", "torch"):  # fmt: skip
        assert words in re.sub(r"\s+", " ", text)
    structure = Structure(text)
    assert structure.open == []
    assert len(structure.ids) == len(set(structure.ids))


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


def test_tables_with_several_units_in_a_column_do_not_sort(page):
    """The main table has a row for each score: those in % would be sorted among those in metres."""
    text = page(experiment())
    tables = dict(re.findall(r'<div class="scores" id="([^"]+)">.*?<table( class="sortable")?>', text, re.DOTALL))
    assert tables["town-main"] == ""
    assert tables["town-by_height-mae"]


def test_every_score_is_folded_away(page):
    text = page(experiment())
    folded = text[text.index("<h4>Every score</h4>") : text.index('<h3 id="town-charts">')]
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


def test_different_data_sets_may_have_different_classes(tmp_path):
    city = run("joint", 0, [tile([[5, 1, 0], [0, 9, 0]])], dataset="city", classes=("a", "b"))
    path = tmp_path / "report.html"
    write_report(ReportInputs([*experiment(), city], {"town": specification(), "city": specification()}), path)
    assert 'class="alarm"' not in path.read_text(encoding="utf-8")


def test_markup_in_names_is_escaped(page):
    runs = [run("m", 0, [tile([[5, 1, 0], [0, 9, 0]])], classes=(MALICIOUS, "b"), title=MALICIOUS)]
    text = page(runs, title=MALICIOUS)
    assert "<script" not in body(text)
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
    assert "Warnings of the data checks." in text
    assert '<a href="#town-data">The data checks have 1 warning.</a>' in text
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
    assert '<td class="measured">1' not in page(runs)


def test_page_has_the_budgets_of_trainings(tmp_path):
    path = tmp_path / "report.html"
    facts = {
        "town": TrainingFacts(budgets=["equal: 10 core-minutes: 812 updates", "height: 10 core-minutes: 700 updates"])
    }
    write_report(ReportInputs(experiment(), {"town": specification()}, trainings=facts), path)
    text = path.read_text(encoding="utf-8")
    assert text.count("Budgets") == 1
    assert "<td>height: 10 core-minutes: 700 updates</td>" in text


def test_page_has_origin_and_licence_of_initial_weights(tmp_path):
    path = tmp_path / "report.html"
    facts = {
        "town": TrainingFacts(starts=["lite0 (encoder), licence Apache-2.0", "dense (encoder), licence BSD & more"])
    }
    write_report(ReportInputs(experiment(), {"town": specification()}, trainings=facts), path)
    text = path.read_text(encoding="utf-8")
    assert text.count("Initial weights") == 1
    assert "<td>lite0 (encoder), licence Apache-2.0</td>" in text
    assert "<td>dense (encoder), licence BSD &amp; more</td>" in text


@pytest.mark.full("draws two figures")
def test_figures_of_folds_are_shown_with_their_data_set(tmp_path):
    folds = {"town.north": "town", "town.south": "town"}
    figures = [tmp_path / fold / "only-classes" / "confusion.png" for fold in folds]
    for path in figures:
        fold = path.parents[1].name
        confusion_figure([entry.model_copy(update={"dataset": fold}) for entry in experiment()[:2]], path)
    path = tmp_path / "report.html"
    write_report(ReportInputs(experiment(), {"town": specification()}, figures, folds=folds), path)
    text = path.read_text(encoding="utf-8")
    for fold in folds:
        assert f"<h4>Figures of only-classes, {fold}</h4>" in text
        assert f"<figcaption>{fold}: Shares in %" in text


def test_page_has_previews_and_whole_pictures_lie_beside_it(place):
    inputs, path = place
    write_report(inputs, path)
    structure = Structure(body(path.read_text(encoding="utf-8")))
    files = [address for address in structure.addresses if address.startswith(FILES)]
    assert len(files) == 3 + 2 * 6
    assert all((path.parent / file).is_file() for file in files)
    previews = [address for address in structure.addresses if address.startswith("data:image")]
    assert len(previews) == len(files)
    assert structure.open == []
    assert len(structure.ids) == len(set(structure.ids))


@pytest.mark.full("draws and renders twice")
def test_pictures_without_room_on_the_page_are_files(place, monkeypatch):
    inputs, path = place
    write_report(inputs, path)
    whole = path.stat().st_size
    assert whole < LARGEST_PAGE
    largest = whole + write.MARGIN - 2_000
    monkeypatch.setattr(write, "LARGEST_PAGE", largest)
    write_report(inputs, path)
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_size <= largest
    linked = re.findall(r'<img src="([^"]*preview.webp)"', text)
    assert linked
    assert all((path.parent / file).is_file() for file in linked)
    assert f"{len(linked)} pictures are missing" in re.sub(r"\s+", " ", text)


def test_an_earlier_report_leaves_no_picture(place):
    inputs, path = place
    stale = path.parent / FILES / "town" / "old.webp"
    stale.parent.mkdir(parents=True)
    stale.touch()
    write_report(inputs, path)
    assert not stale.exists()


def test_policy_allows_the_page_s_own_style_and_script_alone(page):
    text = page(experiment())
    (policy,) = POLICY.findall(text)
    rules = dict(rule.split(" ", 1) for rule in html.unescape(policy).split("; "))
    assert rules["default-src"] == "'none'"
    for name in ("style", "script"):
        (content,) = re.findall(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[f"{name}-src"] == f"'sha256-{digest}'"
    names = Structure(body(text)).names
    assert "style" not in names
    assert not [name for name in names if name.startswith("on")]


@pytest.mark.full("draws and renders twice")
def test_report_with_tiles_is_the_same_again(place):
    inputs, path = place
    contents = []
    for _ in range(2):
        write_report(inputs, path)
        files = sorted((path.parent / FILES).rglob("*.webp"))
        contents.append([path.read_bytes(), *(file.read_bytes() for file in files)])
    assert contents[0] == contents[1]


def test_command_is_escaped_and_in_a_measured_cell(tmp_path):
    def written(command):
        write_report(ReportInputs(experiment(), {"town": specification()}, command=command), tmp_path / "report.html")
        return (tmp_path / "report.html").read_text(encoding="utf-8")

    first, second = written("snakemake --cores 2"), written("snakemake & <more>")
    assert "<code>snakemake &amp; &lt;more&gt;</code>" in second
    assert first != second
    assert MEASURED.sub("", first) == MEASURED.sub("", second)


def test_tables_have_readings_and_the_page_begins_with_them(page):
    text = body(page(experiment()))
    begin = text.index('<ul class="short"')
    assert "Best mIoU: joint (90.28 %)" in text[begin : text.index("</ul>", begin)]
    tables = text.split('<div class="scores"')[1:]
    assert len(tables) > 5
    assert all('<p class="reading">' in table for table in tables)


def test_methods_without_maps_have_no_tiles(page):
    text = page(experiment())
    assert 'id="town-tiles"' not in text
    assert 'id="town-methods"' in text

"""The page of the report: structure, tables, addresses, escaped text, and its policy."""

import base64
import hashlib
import html
import re
from io import BytesIO

from PIL import Image

from mtlaerial.figures import confusion_figure
from mtlaerial.reporting.report import ReportInputs, write_report
from support.report_place import specification
from support.report_structure import Structure, body
from support.sample_scores import experiment, run, tile

MALICIOUS = '<script>alert("x")</script>'
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="(.*?)">')


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


def test_same_inputs_same_bytes(page, tmp_path):
    confusion_figure(experiment()[:2], tmp_path / "confusion.png")
    assert page(experiment(), [tmp_path / "confusion.png"]) == page(experiment(), [tmp_path / "confusion.png"])


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


def test_tables_have_readings_and_the_page_begins_with_them(page):
    text = body(page(experiment()))
    begin = text.index('<ul class="short"')
    assert "Best mIoU: joint (90.28 %)" in text[begin : text.index("</ul>", begin)]
    tables = text.split('<div class="scores"')[1:]
    assert len(tables) > 5
    assert all('<p class="reading">' in table for table in tables)

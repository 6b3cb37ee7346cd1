"""Pictures of the report: previews on the page, whole ones beside it, figures of folds."""

import re

import pytest

from mtlaerial.figures import confusion_figure
from mtlaerial.reporting.report import FILES, ReportInputs, write, write_report
from mtlaerial.reporting.report.sources import LARGEST_PAGE
from support.report_place import report_inputs, specification
from support.report_structure import Structure, body
from support.sample_scores import experiment


@pytest.fixture
def place(tmp_path):
    """Return the inputs of a report with tiles, and its page."""
    return report_inputs(tmp_path / "in", tiles=1, side=40), tmp_path / "out" / "report.html"


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


@pytest.mark.full("draws and renders twice")
def test_report_with_tiles_is_the_same_again(place):
    inputs, path = place
    contents = []
    for _ in range(2):
        write_report(inputs, path)
        files = sorted((path.parent / FILES).rglob("*.webp"))
        contents.append([path.read_bytes(), *(file.read_bytes() for file in files)])
    assert contents[0] == contents[1]


def test_methods_without_maps_have_no_tiles(page):
    text = page(experiment())
    assert 'id="town-tiles"' not in text
    assert 'id="town-methods"' in text

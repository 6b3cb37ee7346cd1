"""Styles for QGIS: values in the layer's unit with labels, and classes with names."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from mtlaerial.maps.qgis_style import style_text, write_style
from support.layers import CODES, HEIGHTS, PROBABILITIES


def test_heights_have_a_ramp_in_metres_with_labels() -> None:
    root = ElementTree.fromstring(style_text(HEIGHTS))
    (renderer,) = root.findall("pipe/rasterrenderer")
    assert renderer.attrib["type"] == "singlebandpseudocolor"
    items = renderer.findall("rastershader/colorrampshader[@colorRampType='INTERPOLATED']/item")
    shown = [(item.attrib["value"], item.attrib["label"], item.attrib["color"]) for item in items]
    assert shown == [("0", "0 m", "#000000"), ("2.5", "2.5 m", "#ff8000")]


def test_classes_have_colours_and_names() -> None:
    root = ElementTree.fromstring(style_text(CODES))
    (renderer,) = root.findall("pipe/rasterrenderer[@type='paletted']")
    entries = [entry.attrib for entry in renderer.findall("colorPalette/paletteEntry")]
    assert [(entry["value"], entry["label"], entry["color"]) for entry in entries] == [
        ("0", "ground", "#786450"),
        ("1", "low vegetation", "#00c800"),
    ]


def test_a_style_that_a_user_edited_is_replaced_only_on_request(tmp_path: Path) -> None:
    style = tmp_path / "semantics.qml"
    write_style(tmp_path / "semantics.tif", CODES, replace=False)
    assert style.read_text() == style_text(CODES)
    style.write_text("<qgis>mine</qgis>")
    write_style(tmp_path / "semantics.tif", CODES, replace=False)
    assert style.read_text() == "<qgis>mine</qgis>"
    write_style(tmp_path / "semantics.tif", CODES, replace=True)
    assert style.read_text() == style_text(CODES)


@pytest.mark.parametrize("share", [0, 0.9])
def test_what_a_power_cut_left_of_a_style_is_replaced(tmp_path: Path, share: float) -> None:
    style, whole = tmp_path / "semantics.qml", style_text(CODES)
    style.write_text(whole[: int(share * len(whole))])
    write_style(tmp_path / "semantics.tif", CODES, replace=False)
    assert style.read_text() == whole


def test_a_layer_without_a_style_has_no_file(tmp_path: Path) -> None:
    write_style(tmp_path / "probability.tif", PROBABILITIES, replace=True)
    assert list(tmp_path.iterdir()) == []

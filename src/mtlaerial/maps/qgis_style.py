"""Styles of layers for QGIS: a ``.qml`` beside a file of the same name, which QGIS applies when it opens the file."""

import dataclasses
import logging
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, SubElement, indent, parse, tostring

from mtlaerial.errors import DataError
from mtlaerial.maps.annotation import stated_palette
from mtlaerial.maps.layer import Colour, Palette, Ramp, RasterLayer
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.system.files import discard, write_text

log = logging.getLogger(__name__)
_SYMBOLS = {"metre": "m", "centimetre": "cm"}
_HEADER = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"


def style_path(path: Path) -> Path:
    """Return the path of a file's style."""
    return path.with_suffix(".qml")


def is_style(path: Path) -> bool:
    """Return whether a file is a style, whoever wrote it: a power cut may leave a part of one, which QGIS refuses."""
    try:
        return parse(path).getroot().tag == "qgis"
    except (OSError, ParseError):
        return False


def write_style(path: Path, layer: RasterLayer, replace: bool) -> None:
    """Write the style of a layer beside its file; nothing for a layer without one.

    Parameters
    ----------
    path : Path
        The layer's file.
    layer : RasterLayer
    replace : bool
        Replace an existing style, which a user may have edited.
    """
    target = style_path(path)
    if layer.style is None or (is_style(target) and not replace):
        return
    write_text(target, style_text(layer))


def discard_other_style(path: Path, layer: RasterLayer, replace: bool) -> None:
    """Remove the style that :func:`write_style` would replace by another one.

    To be called before a new map appears: a process that is killed between the two leaves no style of the earlier map.
    """
    target = style_path(path)
    if layer.style is None or not target.exists() or (is_style(target) and not replace):
        return
    if target.read_bytes() != style_text(layer).encode():
        log.info("replacing %s", target)
        discard(target)


def is_unedited(path: Path, layer: RasterLayer) -> bool:
    """Return whether the style beside an existing map is what :func:`write_style` wrote for the map.

    Names and colours of classes are those that the map states, which may differ from those of the new layer.
    """
    if layer.style is None:
        return False
    try:
        style = style_path(path).read_bytes()
        with open_raster(path) as source:
            stated = stated_palette(source)
    except (OSError, DataError):
        return False
    earlier = dataclasses.replace(layer, style=stated) if isinstance(layer.style, Palette) else layer
    return style == style_text(earlier).encode()


def style_text(layer: RasterLayer) -> str:
    """Return a layer's style as QML; values are in the layer's unit, since QGIS applies the scale before the style.

    Raises
    ------
    ValueError
        When the layer has no style.
    """
    root = Element("qgis", version="3.22.0", styleCategories="Symbology")
    pipe = SubElement(root, "pipe")
    if isinstance(layer.style, Palette):
        _add_palette(pipe, layer.style)
    elif isinstance(layer.style, Ramp):
        _add_ramp(pipe, layer.style, _SYMBOLS.get(layer.unit, layer.unit))
    else:
        raise ValueError(f"{layer.name} has no style")
    SubElement(root, "blendMode").text = "0"
    indent(root, " ")
    return _HEADER + tostring(root, encoding="unicode") + "\n"


def _add_palette(pipe: Element, palette: Palette) -> None:
    renderer = SubElement(pipe, "rasterrenderer", type="paletted", band="1", opacity="1", alphaBand="-1")
    entries = SubElement(renderer, "colorPalette")
    for code, name, colour in palette.categories:
        SubElement(entries, "paletteEntry", value=str(code), label=name, color=_hex(colour), alpha="255")


def _add_ramp(pipe: Element, ramp: Ramp, symbol: str) -> None:
    low, high = (f"{stop[0]:g}" for stop in (ramp.stops[0], ramp.stops[-1]))
    renderer = SubElement(pipe, "rasterrenderer", type="singlebandpseudocolor", band="1", opacity="1", alphaBand="-1")
    renderer.attrib |= {"classificationMin": low, "classificationMax": high}
    shader = SubElement(
        SubElement(renderer, "rastershader"),
        "colorrampshader",
        colorRampType="INTERPOLATED",
        classificationMode="1",
        clip="0",
        minimumValue=low,
        maximumValue=high,
        labelPrecision="2",
    )
    for value, colour in ramp.stops:
        label = f"{value:g} {symbol}".strip()
        SubElement(shader, "item", value=f"{value:g}", label=label, color=_hex(colour), alpha="255")


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{value:02x}" for value in colour)

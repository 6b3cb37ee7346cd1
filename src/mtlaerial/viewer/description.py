"""Descriptions of places and layers, as the page reads them."""

from typing import Any

from mtlaerial.maps.layer import Colour, Palette, Ramp
from mtlaerial.viewer.layer import HEIGHT, PROBABILITIES, Layer
from mtlaerial.viewer.mercator import Bounds, degrees


def describe_place(name: str, bounds: Bounds) -> dict[str, Any]:
    """Return name and bounds in degrees of a map."""
    return {"name": name, "bounds": degrees(bounds)}


def describe_layer(layer: Layer) -> dict[str, Any]:
    """Return a layer's key, title, kind, bands, unit, legend, bounds in degrees and deepest zoom."""
    appearance = layer.appearance
    return {
        "key": layer.key,
        "title": layer.title,
        "kind": appearance.kind,
        "bands": list(appearance.bands) if appearance.kind == "values" else [],
        "choice": "class" if appearance.name.endswith(PROBABILITIES) else "band",
        "unit": appearance.unit,
        "classes": _classes(appearance.style),
        "ramp": _stops(appearance.style),
        "bounds": degrees(layer.bounds),
        "zoom": layer.zoom,
        "terrain": is_terrain(layer),
    }


def is_terrain(layer: Layer) -> bool:
    """Return whether terrain can be made of a layer: of heights in metres or centimetres."""
    appearance = layer.appearance
    return appearance.kind == "values" and appearance.name == HEIGHT and appearance.unit in ("m", "cm")


def _classes(style: Palette | Ramp | None) -> list[dict[str, Any]]:
    if not isinstance(style, Palette):
        return []
    return [{"name": name, "colour": _hex(colour)} for _, name, colour in style.categories]


def _stops(style: Palette | Ramp | None) -> list[dict[str, Any]]:
    if not isinstance(style, Ramp):
        return []
    return [{"value": value, "colour": _hex(colour)} for value, colour in style.stops]


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{value:02x}" for value in colour)

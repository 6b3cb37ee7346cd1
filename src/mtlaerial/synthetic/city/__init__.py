"""Procedural towns: cover, height and colour of each point depend on a style, a seed and its coordinates alone."""

from mtlaerial.synthetic.city.rendering import View, render, render_strips
from mtlaerial.synthetic.city.style import Style
from mtlaerial.synthetic.city.surface import BUILDINGS, TREES, Kind
from mtlaerial.synthetic.city.towns import STYLES

__all__ = ["BUILDINGS", "STYLES", "TREES", "Kind", "Style", "View", "render", "render_strips"]

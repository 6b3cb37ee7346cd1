"""A procedural town: every place's cover, height and colour follow from a seed and the place alone."""

from mtlaerial.synthetic.city.surface import BUILDINGS, TREES, Kind
from mtlaerial.synthetic.city.town import View, render, render_strips

__all__ = ["BUILDINGS", "TREES", "Kind", "View", "render", "render_strips"]

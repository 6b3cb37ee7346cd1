"""A procedural town: cover, height and colour of each point depend only on a seed and the point's coordinates."""

from mtlaerial.synthetic.city.surface import BUILDINGS, TREES, Kind
from mtlaerial.synthetic.city.town import View, render, render_strips

__all__ = ["BUILDINGS", "TREES", "Kind", "View", "render", "render_strips"]

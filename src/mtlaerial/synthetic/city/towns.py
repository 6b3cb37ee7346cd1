"""The styles of towns by name."""

from mtlaerial.synthetic.city.grid import GRID
from mtlaerial.synthetic.city.organic import ORGANIC
from mtlaerial.synthetic.city.style import Style

STYLES: dict[str, Style] = {"grid": GRID, "organic": ORGANIC}
"""By the names of ``generate.style``."""

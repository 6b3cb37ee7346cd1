"""Elements of SVG as text: escaped, and without styles, which the page's content policy refuses."""

from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

INK, SOFT, GRID = "#1d2330", "#5b6472", "#d8dde4"
SIZE = 13
"""Height of the letters."""
LETTER = 6.9
"""About how wide a letter is."""
MARKERS = ("circle", "square", "triangle", "diamond", "cross", "bar", "plus", "star")
"""Shapes of markers, which can be told apart without colours."""
_PATHS = {
    "square": "M-4-4H4V4H-4Z",
    "triangle": "M0-5L5 4H-5Z",
    "diamond": "M0-5.5L5.5 0L0 5.5L-5.5 0Z",
    "cross": "M-4-4L4 4M4-4L-4 4",
    "bar": "M-5-2H5V2H-5Z",
    "plus": "M-5 0H5M0-5V5",
    "star": "M-5 0H5M0-5V5M-3.5-3.5L3.5 3.5M3.5-3.5L-3.5 3.5",
}
_OPEN = ("cross", "plus", "star")


def element(name: str, content: str = "", /, **attributes: object) -> str:
    """Return an element; an underscore in an attribute's name stands for a hyphen.

    >>> element("line", x1=0, stroke_width=2)
    '<line x1="0" stroke-width="2"/>'
    """
    pairs = [f"{key.strip('_').replace('_', '-')}={quoteattr(_text(value))}" for key, value in attributes.items()]
    start = " ".join([name, *pairs])
    return f"<{start}>{content}</{name}>" if content else f"<{start}/>"


def line(x1: float, y1: float, x2: float, y2: float, stroke: str = GRID, width: float = 1, **more: object) -> str:
    """Return a line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, stroke_width=width, **more)


def text(x: float, y: float, words: str, anchor: str = "start", fill: str = INK, **more: object) -> str:
    """Return a text; ``anchor`` is start, middle or end."""
    return element("text", escape(words), x=x, y=y, text_anchor=anchor, fill=fill, font_size=SIZE, **more)


def marker(x: float, y: float, number: int, colour: str) -> str:
    """Return the marker of a series by its number."""
    shape = MARKERS[number % len(MARKERS)]
    if shape == "circle":
        return element("circle", cx=x, cy=y, r=4.5, fill=colour)
    paint = {"fill": "none", "stroke": colour, "stroke_width": 2} if shape in _OPEN else {"fill": colour}
    return element("path", d=_PATHS[shape], transform=f"translate({_text(x)} {_text(y)})", **paint)


def polyline(points: Iterable[tuple[float, float]], colour: str, **more: object) -> str:
    """Return a line through points."""
    places = " ".join(f"{_text(x)},{_text(y)}" for x, y in points)
    return element("polyline", points=places, fill="none", stroke=colour, stroke_width=2, **more)


def picture(key: str, title: str, description: str, size: tuple[float, float], parts: Iterable[str]) -> str:
    """Return a whole SVG with its title and description for readers who do not see it.

    Parameters
    ----------
    key : str
        Unique on the page.
    title, description : str
    size : tuple of float
        Width and height.
    parts : iterable of str
        Elements.
    """
    words = element("title", escape(title), id=f"{key}-title")
    words += element("desc", escape(description), id=f"{key}-desc")
    labelled = f"{key}-title {key}-desc"
    box = f"0 0 {_text(size[0])} {_text(size[1])}"
    return element(
        "svg", words + "".join(parts), viewBox=box, role="img", aria_labelledby=labelled, class_="chart"
    )  # fmt: skip


def shortened(words: str, width: float) -> str:
    """Return words that fit into a width, with an ellipsis where they are cut.

    >>> shortened("low vegetation", 50)
    'low ve…'
    """
    letters = max(2, int(width / LETTER))
    return words if len(words) <= letters else f"{words[: letters - 1]}…"


def _text(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)

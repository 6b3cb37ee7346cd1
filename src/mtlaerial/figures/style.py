"""Common style of the figures: saving, captions, colours, and the scale bar."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.transforms import blended_transform_factory
from PIL import Image

from mtlaerial.config import Section, VectorFormat
from mtlaerial.system.files import writing

DPI = 150
HATCH: Any = {"hatch.linewidth": 0.4}
VECTOR_STYLE: Any = {**HATCH, "svg.hashsalt": "mtlaerial", "pdf.fonttype": 42}
"""Ids in SVG follow from this salt, not from chance. Publishers refuse PDFs with Type 3 fonts, the default."""
CYCLE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999933")
"""Okabe and Ito's colours, which colour-blind readers can distinguish."""
NODATA: dict[str, Any] = {"facecolor": "#f2f2f2", "edgecolor": "#c8c8c8", "hatch": "////", "linewidth": 0}


class Caption(Section):
    """Data set, title and description of a figure, stored in the PNG's text fields."""

    dataset: str
    title: str
    description: str
    """Alternative text of the figure, too."""


def save(figure: Figure, path: Path, caption: Caption) -> Figure:
    """Write a figure as PNG with its caption; the same figure gives the same bytes."""
    texts = {"Dataset": caption.dataset, "Title": caption.title, "Description": caption.description}
    # Software=None: matplotlib would write its version, so that an update would change every file.
    with writing(path) as partial, rc_context(HATCH):
        figure.savefig(partial, format="png", dpi=DPI, metadata={**texts, "Software": None})
    return figure


def save_vectors(figure: Figure, path: Path, formats: Sequence[VectorFormat]) -> None:
    """Write a figure that was saved as PNG in vector formats too, beside the PNG and with its caption.

    Parameters
    ----------
    figure : Figure
        As returned by the function that wrote the PNG.
    path : Path
        The PNG.
    formats : sequence of "svg" or "pdf"
        The same figure gives the same bytes. Texts are paths in SVG and embedded TrueType fonts in PDF.
    """
    caption = read_caption(path)
    # The layout of the PNG: laid out once more, axes would move by fractions of a pixel.
    figure.set_layout_engine("none")
    texts: dict[str, Any] = {
        "svg": {"Title": caption.title, "Description": caption.description, "Date": None, "Creator": None},
        "pdf": {"Title": caption.title, "Subject": caption.description, "CreationDate": None, "Creator": None,
                "Producer": None},
    }  # fmt: skip
    for name in formats:
        with writing(path.with_suffix(f".{name}")) as partial, rc_context(VECTOR_STYLE):
            figure.savefig(partial, format=name, dpi=DPI, metadata=texts[name])


def read_caption(path: Path) -> Caption:
    """Return the caption of a figure written by this package, or the name of another PNG as one."""
    with Image.open(path) as image:
        texts = {key: str(value) for key, value in image.info.items()}
    name = texts.get("Title", path.stem)
    return Caption(dataset=texts.get("Dataset", ""), title=name, description=texts.get("Description", name))


def named(title: str, generated: bool) -> str:
    """Return a data set's title, marked when the data are generated."""
    return f"{title} (generated data)" if generated else title


def hide_ticks(axes: Axes) -> None:
    """Remove ticks and labels, so that only the frame remains."""
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(color="#808080", linewidth=0.6)


def mark_nodata(axes: Axes) -> None:
    """Hatch the background, which is visible at no-data."""
    axes.patch.set(**NODATA)


def scale_bar(axes: Axes, width: float) -> None:
    """Draw a scale bar into the lower left corner.

    Parameters
    ----------
    axes : Axes
        Axes in metres.
    width : float
        Width of the axes in metres.
    """
    length = round_length(0.3 * width)
    across = blended_transform_factory(axes.transData, axes.transAxes)
    left = axes.get_xlim()[0] + 0.04 * width
    outline = [withStroke(linewidth=5, foreground="black")]
    axes.plot([left, left + length], [0.045] * 2, transform=across, color="white", linewidth=3, path_effects=outline,
              solid_capstyle="butt")  # fmt: skip
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    axes.text(left + length / 2, 0.065, text, transform=across, color="white", ha="center", va="bottom",
              fontsize=9, path_effects=[withStroke(linewidth=2, foreground="black")])  # fmt: skip


def round_length(limit: float) -> float:
    """Return the longest of 1, 2, 5, 10, … (and tenths of these) that is within a limit."""
    power = 10.0 ** math.floor(math.log10(limit))
    # The tolerance admits a limit that is such a length itself, in spite of rounding.
    return float(max(step * power for step in (1, 2, 5) if step * power <= limit * (1 + 1e-9)))

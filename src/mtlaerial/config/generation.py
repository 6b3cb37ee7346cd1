"""Options of the generator of data sets: the style of the town, sizes of the files, and noise."""

from typing import Annotated, Literal

from pydantic import Field

from mtlaerial.config.base import Section
from mtlaerial.config.layers import Layer
from mtlaerial.config.numbers import Fraction, Metres

Side = Annotated[int, Field(ge=64, le=65_536)]
"""Pixels along a side of a generated tile."""
StyleName = Literal["grid", "organic"]
"""``grid``: a planned town in summer; ``organic``: one that has grown, in autumn."""
GRID: StyleName = "grid"


class NoiseSpec(Section):
    """Noise of generated layers, over the faint noise of the sensor that all images have.

    Noise of heights and labels is that of training and validation tiles. The truth of test tiles is exact, so that
    scores measure the network alone.
    """

    image: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Standard deviation of each band of each pixel, as a share of ``image.range``."""
    height: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Standard deviation in metres of each cell, independent of its neighbours. Near heights that are not written or
    not trained on, such as 0 with ``zero_height: ignore``, it is smaller, so that the mean stays."""
    labels: Fraction = 0.0
    """Share of the ground whose class is another than in reality, in squares of 4 m."""

    @property
    def description(self) -> str:
        """The noise with its units, as a phrase."""
        phrases = {
            "image": f"image {self.image:g} of its range",
            "height": f"height {self.height:g} m outside test tiles",
            "labels": f"labels {self.labels:g} of the ground outside test tiles",
        }
        parts = [phrase for layer, phrase in phrases.items() if getattr(self, layer)]
        return f"noise: {', '.join(parts)}" if parts else "no noise"


class Generation(Section):
    """Options of the generator of a data set."""

    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Seed of the random numbers."""
    size: Side | tuple[Side, Side] = 512
    """Side of each tile in image pixels, or its rows and columns."""
    vary: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest share by which rows and columns of a tile differ from ``size``; 0 for tiles of equal size."""
    ground_truth_gsd: dict[Layer, Metres] = {}
    """Pixel size in metres of height and labels, a multiple of the image's; by default as the image."""
    style: StyleName = GRID
    """Style of the town: its streets, buildings, heights, colours, sun and blur."""
    noise: NoiseSpec = NoiseSpec()
    """Noise of images and of the ground truth."""

    @property
    def description(self) -> str:
        """Style and noise, as a phrase."""
        return described(self.style, self.noise)


def described(style: StyleName, noise: NoiseSpec) -> str:
    """Return style and noise as a phrase.

    Examples
    --------
    >>> described("organic", NoiseSpec(image=0.02))
    'style organic; noise: image 0.02 of its range'
    """
    return f"style {style}; {noise.description}"


def title_suffix(description: str) -> str:
    """Return what is added to the title of a generated data set: whatever its style and noise change.

    Parameters
    ----------
    description : str
        As from :func:`described`, or empty if it is not known.

    Examples
    --------
    >>> title_suffix("style grid; no noise")
    ''
    >>> title_suffix("style organic; noise: image 0.02 of its range")
    ', organic, with noise'
    """
    style, _, noise = description.removeprefix("style ").partition("; ")
    parts = [style] if style not in ("", GRID) else []
    parts += ["with noise"] if noise.startswith("noise") else []
    return "".join(f", {part}" for part in parts)

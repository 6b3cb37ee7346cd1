"""The section ``map``: a region that a trained run is to map, sheet by sheet."""

from typing import Annotated, Any

from pydantic import Field

from mtlaerial.config.base import Section
from mtlaerial.config.names import PlainPath
from mtlaerial.config.numbers import BandIndex, Range
from mtlaerial.config.objects import ObjectsSpec


class MapSpec(Section):
    """A region to map: images, and the run that maps them. The target ``map`` makes its maps."""

    run: PlainPath
    """Folder of a trained run or an ensemble, or the name of a run that is shipped."""
    images: Annotated[tuple[str, ...], Field(min_length=1)]
    """Files, folders, patterns, lists and indexes of images, as of ``mtlaerial predict``. Where images overlap, the
    first one that is valid counts."""
    area: PlainPath | None = None
    """Vector file of the only area to map; by default all images."""
    bands: tuple[BandIndex, ...] | None = None
    """Bands of the images, counted from 1, in the order of the run's; by default those it was trained on."""
    range: Range | None = None
    """Values of the images that are the lowest and the highest of the training's range; by default they have that
    range."""
    resample: bool = False
    """Resample images to pixels of the size of the training, on one grid in the first image's CRS. Without, images of
    other pixels than the first one's are refused."""
    sheet: Annotated[int, Field(ge=512, le=65_536, multiple_of=512)] = 4096
    """Side of a sheet in pixels. A sheet costs the windows that reach into it: small ones cost more in all."""
    sheets_per_job: Annotated[int, Field(ge=1, le=100_000)] = 16
    """Sheets that a job of the workflow maps. It loads the run once; a job that was killed goes on with the sheets that
    are missing."""
    objects: ObjectsSpec | None = None
    """Objects of the whole region as polygons with heights, across sheets; by default none."""
    polygons: PlainPath | None = None
    """Vector file of polygons, such as parcels or districts, that get the areas of classes, heights and numbers of
    objects in each."""
    prediction: dict[str, Any] = {}
    """Changes to the prediction by which the run was scored. Another ``blend`` without ``window`` and ``stride`` brings
    its own windows."""

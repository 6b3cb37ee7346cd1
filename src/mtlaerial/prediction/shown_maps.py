"""Maps for people while they are written: cloud-optimised GeoTIFFs with styles and a STAC Item."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from mtlaerial.config import PredictionSpec
from mtlaerial.maps.cog_writer import CogWriter, open_cog
from mtlaerial.maps.qgis_style import discard_other_style, is_unedited, write_style
from mtlaerial.maps.stac_item import write_item
from mtlaerial.prediction.applied_calibration import AppliedCalibration
from mtlaerial.prediction.blending.regrid import Cells, axes
from mtlaerial.prediction.exact_map import Write
from mtlaerial.prediction.map_layers import Content, exact_layer, shown_layer
from mtlaerial.prediction.map_provenance import item_properties
from mtlaerial.prediction.regridded_map import RegriddedMap, write_on_image_grid
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.image_source import ImageSource
from mtlaerial.runs.run import RunDescription


class Map(NamedTuple):
    """A map to be written: the name of its file without suffix, its content, and its grid."""

    name: str
    content: Content
    grid: Grid


class Storage(NamedTuple):
    """How maps for people are stored: by a configuration, and whether styles beside earlier maps are replaced.

    The calibration, if there is one, changes probabilities and gives bounds of heights. ``own_grid`` is an image that
    was resampled for the network, on its own grid, which the maps are brought back to.
    """

    prediction: PredictionSpec
    replace: bool = False
    calibration: AppliedCalibration | None = None
    own_grid: ImageSource | None = None


class ShownMaps:
    """The maps of an image that are being written; of a resampled image they are brought to its own grid at the end.

    Parameters
    ----------
    folder : Path
    description : RunDescription
    image : Grid
        The grid that the network runs on.
    tags : mapping
        Tags of all maps.
    storage : Storage
    stack : ExitStack
        Closes the files, complete ones only when its block succeeds.
    """

    def __init__(
        self,
        folder: Path,
        description: RunDescription,
        image: Grid,
        tags: Mapping[str, str],
        storage: Storage,
        stack: ExitStack,
    ) -> None:
        self.folder, self.description, self.image = folder, description, image
        self.tags, self.storage, self._stack = tags, storage, stack
        self._temporary = stack.enter_context(ExitStack())
        self.cogs: list[CogWriter] = []
        self._regridded: list[RegriddedMap] = []
        self._edited_styles: set[str] = set()
        self._grid = image

    def open(self, each: Map) -> tuple[Write, tuple[Cells, Cells]]:
        """Open a map; return the function that writes blocks of it, and the cells of these."""
        path, calibration = self.folder / f"{each.name}.tif", self.storage.calibration
        layer = shown_layer(each.content, each.name, self.description, self.storage.prediction)
        if path.exists() and not is_unedited(path, layer):
            self._edited_styles.add(each.name)
        calibrated = calibration.tags(*each.content.key) if calibration else {}
        cog = self._stack.enter_context(open_cog(path, each.grid, layer, {**self.tags, **calibrated}))
        self.cogs.append(cog)
        self._grid = each.grid
        if self.storage.own_grid is None:
            return cog.write, axes(self.image, each.grid)
        exact = exact_layer(each.content, each.name, self.description)
        regridded = RegriddedMap(path, exact, self.image, each.grid, cog.write)
        self._stack.callback(regridded.discard)
        self._regridded.append(regridded)
        return self._temporary.enter_context(regridded.open()), axes(self.image, self.image)

    def complete(self) -> None:
        """Bring the maps of a resampled image to its own grid, and remove styles that will not be theirs.

        To be called when all blocks are written, and before the maps appear.
        """
        self._temporary.close()
        if self.storage.own_grid is not None:
            write_on_image_grid(self._regridded, self.storage.own_grid, self._grid)
        for cog in self.cogs:
            discard_other_style(cog.path, cog.layer, self._replaces_style(cog))

    def describe(self, origin: Mapping[str, str]) -> None:
        """Write the styles and the STAC Item of complete maps."""
        for cog in self.cogs:
            write_style(cog.path, cog.layer, self._replaces_style(cog))
        name = f"{self.description.name} {origin.get('IMAGE', '')}"
        write_item(self.folder, name, self._grid, self.cogs, item_properties(self.description, origin))

    def _replaces_style(self, cog: CogWriter) -> bool:
        """Tell whether a map replaces the style beside it, which a user may have edited."""
        # Without an earlier map a style in the folder is that of a map that has been removed.
        return self.storage.replace or cog.layer.name not in self._edited_styles

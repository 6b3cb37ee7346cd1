"""Calibration of the heights of objects, from the maps of validation tiles."""

from pathlib import Path

from mtlaerial.calibration.record import ObjectCalibration
from mtlaerial.config import TaskEntry
from mtlaerial.config.objects import ObjectsSpec
from mtlaerial.errors import DataError
from mtlaerial.objects.validation_errors import ObjectErrors, calibrate_objects, validation_errors
from mtlaerial.scoring.height_truth import HeightTruth


class ObjectMapCalibration:
    """Calibration of objects' heights, from the maps of one tile after another.

    Parameters
    ----------
    entry : TaskEntry
        The task of heights.
    spec : ObjectsSpec
        The objects; whether outlines are regularised does not matter, as heights are those of the pixels.
    """

    def __init__(self, entry: TaskEntry, spec: ObjectsSpec) -> None:
        self._entry, self._spec = entry, spec
        self._tiles: list[ObjectErrors] = []
        self.remarks: list[str] = []
        """Sentences on tiles whose objects cannot be told."""

    def add(self, maps: Path, tile: Path) -> None:
        """Add a tile.

        Parameters
        ----------
        maps : Path
            Folder with the maps of the classes and the heights.
        tile : Path
            Folder of the prepared tile; one without heights adds nothing, one without a CRS in metres a remark.
        """
        if HeightTruth(tile, self._entry).empty:
            return
        try:
            self._tiles.append(validation_errors(maps, tile / "height.tif", self._spec))
        except DataError as error:
            reason = f"found {error.found}; expected {error.expected}"
            self.remarks.append(f"Objects of {tile.name} are not calibrated by: {reason}.")

    def result(self) -> dict[str, ObjectCalibration]:
        """Return the calibration by class."""
        return calibrate_objects(self._tiles, self._spec)

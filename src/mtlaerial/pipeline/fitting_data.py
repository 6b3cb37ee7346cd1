"""Requirements of a trained run on a data set that it is scored or calibrated on."""

from collections.abc import Sequence
from pathlib import Path

from mtlaerial.config import DatasetSpec
from mtlaerial.config.tasks import tasks_with
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import ConfigError, MismatchError
from mtlaerial.prediction.image_match import match_image
from mtlaerial.prediction.image_options import ImageOptions
from mtlaerial.runs.run import RunDescription
from mtlaerial.tiles.statistics import Statistics


def require_same_input(folder: Path, statistics: Statistics, dataset: DatasetSpec, spec: Path) -> None:
    """Refuse a data set with other bands or another range of values than those that a run was trained on.

    Raises
    ------
    MismatchError
    """
    bands = ", ".join(band.name for band in statistics.bands)
    names = ", ".join(dataset.image.band_names)
    if bands != names:
        remedy = "List image.bands and image.band_names in that order in a copy of the specification."
        raise MismatchError(f"{spec}, key image.band_names", names, f"{bands}, as {folder} was trained on", remedy)
    if statistics.range != dataset.image.range:
        low, high = statistics.range
        expected = f"[{low:g}, {high:g}], as {folder} was trained on"
        remedy = "Convert the images to that range of values, or score a run that was trained on such images."
        raise MismatchError(f"{spec}, key image.range", f"{list(dataset.image.range)}", expected, remedy)


def require_truth(folder: Path, description: RunDescription, dataset: Dataset, spec: Path) -> None:
    """Refuse a data set that has truth for none of a run's tasks, or other classes.

    Raises
    ------
    ConfigError, MismatchError
    """
    tasks, labels = description.plan.tasks, dataset.spec.labels
    if not any(map(dataset.spec.has_truth, tasks)):
        expected = f"truth for a task of {folder} ({', '.join(tasks)})"
        raise ConfigError(spec, f"truth for {', '.join(dataset.tasks)} alone", expected, "Score another run.")
    if labels and tasks_with("classes", tasks):
        names = ", ".join(entry.name for entry in labels.classes)
        trained = ", ".join(entry.name for entry in description.statistics.classes)
        if names != trained:
            expected = f"{trained}, as {folder} was trained on"
            remedy = (
                "List the same classes in that order in a copy of the specification; a class may have several values."
            )
            raise MismatchError(f"{spec}, key labels.classes", names, expected, remedy)


def require_images(folder: Path, run: RunDescription, tiles: Sequence[Path], gsd: float | None) -> None:
    """Refuse prepared tiles whose images do not match the training data of a run.

    Parameters
    ----------
    folder : Path
        The run's, for messages.
    run : RunDescription
    tiles : sequence of Path
        Folders of prepared tiles.
    gsd : float or None
        Metres per pixel of images without georeference.

    Raises
    ------
    MismatchError
    """
    bands = range(1, len(run.statistics.bands) + 1)
    for tile in tiles:
        try:
            match_image(tile / "image.tif", run, ImageOptions(bands, gsd))
        except MismatchError as error:  # its remedy is for the prepared file, not for the data set's
            remedy = f"Convert the files of the data set, or take another run than {folder}."
            raise MismatchError(f"the image of {tile.name}", error.found, error.expected, remedy) from None

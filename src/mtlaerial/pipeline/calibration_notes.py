"""Notes on data sets whose runs cannot be calibrated."""

from mtlaerial.pipeline.project import Project


def is_calibrated(project: Project, dataset: str) -> bool:
    """Tell whether runs on a data set or a fold are calibrated: as configured, where there are validation tiles."""
    return project.config.calibration is not None and bool(project.dataset(dataset).spec.splits.get("val"))


def calibration_notes(project: Project, dataset: str) -> list[str]:
    """Return a sentence where intervals are asked for and there are no validation tiles.

    Parameters
    ----------
    project : Project
    dataset : str
        A data set or, of one with areas, all of its folds.
    """
    if project.config.calibration is None:
        return []
    folds = [fold for fold, name in project.folds.items() if name == dataset] or [dataset]
    lacking = [fold for fold in folds if not is_calibrated(project, fold)]
    if not lacking:
        return []
    key = f"datasets.{project.source(dataset)}.hold_out"
    where = ", ".join(lacking)
    return [f"No calibration, hence no intervals, on {where}: no validation tiles. List training tiles in {key}."]

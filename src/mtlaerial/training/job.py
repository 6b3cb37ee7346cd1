"""The record of a training's inputs; it can be written down and handed to other processes."""

from pathlib import Path

from mtlaerial.config import DashboardSpec, Section
from mtlaerial.runs.budget import Budget
from mtlaerial.runs.plan import RunPlan
from mtlaerial.runs.recipe_record import RecipeRecord
from mtlaerial.runs.start import StartRecord
from mtlaerial.tiles.statistics import Statistics


class TrainingJob(Section):
    """The inputs of one training.

    Which of them decide the trained weights, :func:`mtlaerial.training.train.identity` says.
    """

    plan: RunPlan
    """Method, network and recipe."""
    statistics: Statistics
    """Of the training tiles."""
    training_tiles: tuple[Path, ...]
    """Folders of prepared tiles."""
    validation_tiles: tuple[Path, ...] = ()
    """Folders of prepared tiles; without any, the last weights are used."""
    folder: Path
    """The run's folder."""
    resume: Path | None = None
    """Folder for the state of the unfinished training, which may hold those of many runs; None for the run's own. A
    killed training goes on from there and ends as an unbroken one would."""
    pretrained: Path | None = None
    """Weights to begin with: the folder of a run, or a file of an encoder's weights, as published or from
    :func:`mtlaerial.pipeline.pretrained.fetch_pretrained`."""
    start: StartRecord | None = None
    """Origin of these weights, where the configuration states it."""
    budget: Budget | None = None
    """Budget that decided the plan's number of updates."""
    recipe: RecipeRecord | None = None
    """The recipe that the configuration names, for the run's description."""
    dashboard: DashboardSpec | None = None
    """Server that shows the training; the result is the same with and without, whatever becomes of the server."""
    loggers: tuple[str, ...] = ()
    """Names of loggers that watch the training; the result is the same with and without."""
    replace: bool = False
    """Replace the finished run of another training in the folder, or a damaged run."""

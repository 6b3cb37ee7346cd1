"""Notes on views of predictions that the trainings did not see."""

from collections.abc import Iterator

from mtlaerial.config.unseen_views import unseen_notes, unseen_views
from mtlaerial.pipeline.project import Project


def view_notes(project: Project, dataset: str) -> list[str]:
    """Return a sentence on each kind of view that methods predict with and their trainings did not see.

    Parameters
    ----------
    project : Project
    dataset : str
        A data set or a fold.
    """
    return unseen_notes(_unseen_by_method(project, dataset))


def _unseen_by_method(project: Project, dataset: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each method, and the views that the trainings of its networks did not see."""
    for method in project.methods(dataset):
        views = project.recipe(dataset, method).prediction.views
        trainings = [project.recipe(dataset, source).training for source in project.sources_of(dataset, method)]
        yield method, [view for training in trainings for view in unseen_views(views, training.augmentation)]

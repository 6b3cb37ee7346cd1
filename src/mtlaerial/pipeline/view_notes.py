"""Notes on views of predictions that the trainings did not see."""

from mtlaerial.config.unseen_views import unseen_views
from mtlaerial.pipeline.project import Project


def view_notes(project: Project, dataset: str) -> list[str]:
    """Return a sentence on each kind of view that methods predict with and their trainings did not see.

    Parameters
    ----------
    project : Project
    dataset : str
        A data set or a fold.
    """
    methods_by_views: dict[str, list[str]] = {}
    for method in project.methods(dataset):
        views = project.recipe(dataset, method).prediction.views
        trainings = [project.recipe(dataset, source).training for source in project.sources_of(dataset, method)]
        unseen = dict.fromkeys(view for each in trainings for view in unseen_views(views, each.augmentation))
        if unseen:
            methods_by_views.setdefault(", ".join(unseen), []).append(method)
    return [
        f"Views that the training did not see: {views}, of {', '.join(methods)}; maps may be worse than without."
        for views, methods in methods_by_views.items()
    ]

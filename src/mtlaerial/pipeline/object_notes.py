"""Runs whose maps are vectorised, and notes on those whose maps have no such classes."""

from mtlaerial.pipeline.project import Project


def has_objects(project: Project, dataset: str, method: str) -> bool:
    """Tell whether the maps of a method's runs are vectorised: as configured, where they have the classes."""
    spec, objects = project.dataset(dataset).spec, project.config.objects
    if objects is None or not spec.splits.get("test"):
        return False
    return "semantics" in project.tasks(dataset, method) and set(objects.classes) <= set(spec.class_names)


def object_notes(project: Project, dataset: str) -> list[str]:
    """Return a sentence on a data set that lacks a class whose objects are asked for.

    Parameters
    ----------
    project : Project
    dataset : str
        A data set or, of one with areas, all of its folds.
    """
    names = project.sources[dataset].spec.class_names
    objects = project.config.objects
    lacking = [name for name in objects.classes if name not in names] if objects else []
    if not lacking:
        return []
    return [f"No objects of {dataset}: it has no class {', '.join(lacking)} (objects.classes), but {', '.join(names)}."]

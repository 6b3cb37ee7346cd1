"""Notes on ensembles whose members predict, or are scored, by other settings."""

from collections.abc import Iterator
from typing import Any

from mtlaerial.config import Recipe
from mtlaerial.config.decisive_keys import flat_keys
from mtlaerial.pipeline.project import Project

_SECTIONS = {"prediction", "scoring"}


def ensemble_notes(project: Project, dataset: str) -> list[str]:
    """Return a sentence on each ensemble that lacks settings of its members and states none in their place.

    Parameters
    ----------
    project : Project
    dataset : str
        A data set or a fold.
    """
    ensembles = [method for method in project.methods(dataset) if project.config.methods[method].ensemble]
    differences = {method: list(_differences(project, dataset, method)) for method in ensembles}
    return [
        f"{method}, an ensemble, does not have its members' overrides: {'; '.join(texts)}. "
        f"It may state them itself, in methods.{method}.overrides."
        for method, texts in differences.items()
        if texts
    ]


def _differences(project: Project, dataset: str, method: str) -> Iterator[str]:
    """Yield each key with the values that members have instead of the ensemble's."""
    settings = _settings(project.recipe(dataset, method))
    members = project.sources_of(dataset, method)
    of_members = {member: _settings(project.recipe(dataset, member)) for member in members}
    entry = project.config.datasets[project.source(dataset)]
    changes = (project.config.methods[method].overrides, entry.overrides.get(method, {}))
    stated = {key for change in changes for key, _ in flat_keys(change)}
    for key, value in settings.items():
        others = {member: values[key] for member, values in of_members.items() if values[key] != value}
        if others and key not in stated:
            texts = [f"{_text(other)} of {member}" for member, other in others.items()]
            yield f"{key} is {_text(value)} instead of {' and '.join(texts)}"


def _settings(recipe: Recipe) -> dict[str, Any]:
    return dict(flat_keys(recipe.model_dump(mode="json", include=_SECTIONS)))


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)

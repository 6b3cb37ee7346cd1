"""Transfers of a project: which runs are tested on which other data set, by which settings, with which notes."""

from typing import NamedTuple

from mtlaerial.config import ScoringSpec
from mtlaerial.config.class_names import require_scored_classes
from mtlaerial.config.recipe_in_force import recipe_in_force
from mtlaerial.config.transfer import TransferSpec, mapping_text
from mtlaerial.pipeline.project import Project


class Transferred(NamedTuple):
    """A method of one data set that is tested on another."""

    dataset: str
    """The data set of its training."""
    method: str
    tested: str


def transferred_methods(project: Project) -> list[Transferred]:
    """Return the methods of all transfers: those that learn what the tested data set has ground truth of."""
    pairs = [(each.trained_on, each.tested_on) for each in project.config.run.transfer]
    methods = [Transferred(trained, method, tested) for trained, tested in pairs for method in project.methods(trained)]
    return [each for each in methods if _is_scored(project, each)]


def _is_scored(project: Project, each: Transferred) -> bool:
    spec = project.dataset(each.tested).spec
    return any(map(spec.has_truth, project.tasks(each.dataset, each.method)))


def tested_sets(project: Project) -> list[str]:
    """Return the data sets that runs of others are tested on, each once."""
    return list(dict.fromkeys(transfer.tested_on for transfer in project.config.run.transfer))


def transfer_of(project: Project, dataset: str, tested: str) -> TransferSpec:
    """Return the transfer between two data sets."""
    transfers = project.config.run.transfer
    return next(each for each in transfers if (each.trained_on, each.tested_on) == (dataset, tested))


def class_codes(project: Project, dataset: str, tested: str) -> tuple[int, ...]:
    """Return the code in the tested data set of each class of the other; empty where one has none."""
    transfer = transfer_of(project, dataset, tested)
    return transfer.class_codes(project.dataset(dataset).spec, project.dataset(tested).spec)


def scoring_of(project: Project, tested: str, method: str) -> ScoringSpec:
    """Return the settings by which runs of a method are scored on a data set that they were not trained on.

    Classes left out are those that the settings name: the training's weights of classes are of another data set.
    """
    spec = project.dataset(tested).spec
    scoring = recipe_in_force(project.config, spec.recipe, method, tested).scoring
    require_scored_classes(scoring, spec, f"{method} on {tested}")
    return scoring if scoring.without_classes is not None else scoring.model_copy(update={"without_classes": ()})


def transfer_notes(project: Project, tested: str) -> list[str]:
    """Return the sentences on the transfers to a data set, for below their table."""
    notes = []
    for transfer in project.config.run.transfer:
        if transfer.tested_on != tested:
            continue
        trained, own = (project.dataset(name).spec for name in (transfer.trained_on, tested))
        notes.append(f"Rows with ({transfer.trained_on}) were trained on {trained.title} and not on this data set.")
        if text := mapping_text(transfer.class_codes(trained, own), trained.class_names, own.class_names):
            notes.append(f"Of classes of {transfer.trained_on}, {text}.")
        if names := transfer.untrained(trained, own):
            notes.append(f"No class of {transfer.trained_on} is {' or '.join(names)}, which these rows never predict.")
    return notes

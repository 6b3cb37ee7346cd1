"""The ``run.yaml`` of an ensemble: it lists runs by path and hash, and has no weights beside it."""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from mtlaerial.config import PredictionSpec, Section, Task
from mtlaerial.config.ensemble import Average
from mtlaerial.config.tasks import tasks_with
from mtlaerial.errors import ConfigError, DataError, UserError
from mtlaerial.runs.weights import DESCRIPTION

if TYPE_CHECKING:
    from mtlaerial.runs.run import RunDescription

ANEW = "Make the ensemble anew: mtlaerial ensemble RUN... --out DIR."


class EnsemblePlan(Section):
    """The row that an ensemble is, and the prediction by which it is scored."""

    dataset: str
    method: str
    seed: int
    tasks: tuple[Task, ...]
    """The tasks that at least one member learns."""
    prediction: PredictionSpec
    heights: Average = "mean"
    """The average over the networks that heights are; earlier versions, whose files lack the key, had means alone."""


class ListedRun(Section):
    """A member as an ensemble lists it."""

    run: str
    """Path of the run's folder, from that of the ensemble."""
    sha256: str
    """SHA-256 of the run's weights."""


class EnsembleEntries(Section):
    """The content of an ensemble's ``run.yaml``."""

    format: int
    mtlaerial: str
    """Version of the package that wrote it."""
    sha256: str
    """Hash of the members' hashes and the average, by which maps of one ensemble are told from those of another."""
    members: Annotated[tuple[ListedRun, ...], Field(min_length=1)]
    plan: EnsemblePlan


def is_ensemble(entries: Mapping[str, Any]) -> bool:
    """Tell whether entries of ``run.yaml`` are those of an ensemble."""
    return "members" in entries


def listed_runs(folder: Path, runs: Mapping[Path, str]) -> tuple[ListedRun, ...]:
    """Return runs, with the hashes of their weights, as an ensemble in some folder lists them."""
    base = folder.resolve()
    paths = {run: Path(os.path.relpath(run.resolve(), base)).as_posix() for run in runs}
    return tuple(ListedRun(run=paths[run], sha256=sha256) for run, sha256 in runs.items())


def joint_sha256(hashes: Iterable[str], heights: Average) -> str:
    """Return a hash of hashes, in their order, and of the average of heights."""
    # Means have the hash that versions without medians gave them, lest their maps count as those of another ensemble.
    parts = [*hashes] if heights == "mean" else [*hashes, heights]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def read_ensemble(folder: Path, data: Mapping[str, Any], read: Callable[[Path], "RunDescription"]) -> "RunDescription":
    """Return the description of an ensemble from its entries and the descriptions of its members.

    Parameters
    ----------
    folder : Path
        The ensemble's.
    data : mapping
        Entries of its ``run.yaml``.
    read : callable
        Reads the description of a single run; refuses ensembles.

    Raises
    ------
    ConfigError, DataError
        When a member is missing, an ensemble itself, or has other weights than those that the ensemble lists.
    """
    entries = EnsembleEntries.parse(data, str(folder / DESCRIPTION))
    # Paths lead from where the folder really lies: ".." after a symbolic link is another folder.
    base = folder if folder.absolute() == folder.resolve() else folder.resolve()
    members: dict[Path, RunDescription] = {}
    for listed in entries.members:
        run, where = Path(os.path.normpath(base / listed.run)), f"{folder / DESCRIPTION}, member {listed.run}"
        try:
            members[run] = read(run)
        except UserError as error:
            remedy = f"Put it back to where it was beside the ensemble. {ANEW}"
            raise type(error)(where, error.found, error.expected, remedy) from None
        if members[run].sha256 != listed.sha256:
            observed = f"weights of SHA-256 {members[run].sha256[:12]}…"
            expected = f"those of {listed.sha256[:12]}…, of which the ensemble was made"
            raise DataError(where, observed, expected, f"The run was replaced. {ANEW}")
    return _joined(entries, members)


def ensemble_in_place_of_run(folder: Path, members: Sequence[str], use: str) -> ConfigError:
    """Return the error on an ensemble where a single run is needed."""
    shown = ", ".join(members)
    remedy = f"Give one of its members: {shown}."
    return ConfigError(folder, "an ensemble, which has no weights of its own", f"a single run {use}", remedy)


def _joined(entries: EnsembleEntries, members: "dict[Path, RunDescription]") -> "RunDescription":
    """Return the description of an ensemble; what it has no value of itself is the first member's."""
    descriptions = list(members.values())
    first, plan = descriptions[0], entries.plan
    # A run of heights alone may know of other classes, or of none.
    of_classes = next((each for each in descriptions if tasks_with("classes", each.plan.tasks)), first)
    row = {"dataset": plan.dataset, "method": plan.method, "seed": plan.seed}
    changes = {**row, "tasks": plan.tasks, "prediction": plan.prediction}
    # Facts on one training, such as its validation tiles and its start, are each member's own.
    unknown = {name: None for name, field in type(first).model_fields.items() if field.default is None}
    return first.model_copy(
        update={
            **unknown,
            "mtlaerial": _distinct(member.mtlaerial for member in descriptions),
            "code": _distinct(member.code for member in descriptions),
            "sha256": entries.sha256,
            "plan": first.plan.model_copy(update=changes),
            "statistics": first.statistics.model_copy(update={"classes": of_classes.statistics.classes}),
            "epoch": 0,
            "members": members,
            "heights": plan.heights,
        }
    )


def _distinct(values: Iterable[str]) -> str:
    """Return the different ones of some values, so that a mixture shows."""
    return " and ".join(dict.fromkeys(values))

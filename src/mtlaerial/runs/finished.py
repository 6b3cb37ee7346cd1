"""Finished runs: whether a training would repeat one or replace another."""

from pathlib import Path

from mtlaerial.config.decisive_keys import flat_keys
from mtlaerial.errors import DataError, UserError
from mtlaerial.runs.plan import RunPlan
from mtlaerial.runs.run import load_description, read_description
from mtlaerial.runs.weights import DESCRIPTION, WEIGHTS, load_provenance

FILES = (WEIGHTS, "best.safetensors", "last.safetensors", "history.csv", "cost.json")
"""Files that a training writes, apart from its progress."""
SHOWN = 3
"""Most differing keys that a message names."""
REMEDY = "Choose another folder, or replace the run: --replace."


def is_finished(folder: Path, plan: RunPlan, identity: str, replace: bool = False) -> bool:
    """Tell whether a folder holds the finished run of a training; refuse to replace the run of another.

    Parameters
    ----------
    folder : Path
    plan : RunPlan
    identity : str
        Fingerprint of the training's plan and data.
    replace : bool
        Another run may be replaced, and so may a damaged one.

    Raises
    ------
    DataError
        When the folder holds the finished run of another training or a damaged run, and must not be replaced.
    """
    if not (folder / WEIGHTS).exists():
        return False
    fault = _fault(folder)
    same = _trained_identity(folder) == identity
    if not replace and fault and (same or not plan_difference(folder, plan)):
        raise DataError(fault.where, fault.found, fault.expected, f"{fault.remedy} --replace trains it here again.")
    if not replace and not same:
        raise _another(folder, plan)
    return same and fault is None and all((folder / name).exists() for name in FILES)


def require_same_plan(folder: Path, plan: RunPlan, replace: bool = False) -> None:
    """Refuse a folder with the finished run of another plan, before anything is prepared for a training.

    Raises
    ------
    DataError
        When the folder holds such a run, and it must not be replaced.
    """
    if (folder / DESCRIPTION).exists() and not replace and plan_difference(folder, plan):
        raise _another(folder, plan)


def plan_difference(folder: Path, plan: RunPlan) -> str:
    """Return how a plan differs from that of the run in a folder, by keys that decide the weights; empty if not."""
    try:
        described = read_description(folder).plan
    except UserError as error:
        return f"which cannot be compared: {error.found}"
    before, after = dict(flat_keys(described.decisive())), dict(flat_keys(plan.decisive()))
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    changes = [f"{key} {before.get(key)} instead of {after.get(key)}" for key in keys[:SHOWN]]
    more = [f"{len(keys) - SHOWN} more keys"] if len(keys) > SHOWN else []
    return ", ".join([*changes, *more])


def _another(folder: Path, plan: RunPlan) -> DataError:
    difference = plan_difference(folder, plan) or "of other training data, or of another version of the package"
    return DataError(folder, f"another finished run ({difference})", "no run, or this one", REMEDY)


def _trained_identity(folder: Path) -> str | None:
    try:
        return load_provenance(folder).identity
    except UserError:
        return None


def _fault(folder: Path) -> UserError | None:
    """Return what is wrong with a folder's description and weights; a missing description is no fault."""
    try:
        if (folder / DESCRIPTION).exists():
            load_description(folder)
    except UserError as error:
        return error
    return None

"""Sentences about the ground truth of the test tiles: layers, classes, grids and split."""

from collections.abc import Sequence

from mtlaerial.config import Task, task_entry
from mtlaerial.config.class_names import untrained_classes
from mtlaerial.config.tasks import leads, registry_order, tasks_with
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.tile_scores import TileScores

LISTED = 8
"""Test tiles that a note names."""


def coverage(runs: Sequence[Scores]) -> str:
    """Return the number of test tiles with truth as a sentence; empty if all tiles have all layers."""
    tiles = {name for run in runs for name in run.tiles}
    # Any run serves: all are scored on the same truth, and each has sums of its own tasks only.
    labelled = {name for run in runs for name, tile in run.tiles.items() if any(part.confusion for part in tile.parts)}
    measured = {name for run in runs for name, tile in run.tiles.items() if any(part.height for part in tile.parts)}
    numbers = {"classes": len(labelled), "heights": len(measured)}
    parts = [f"{layer} in {number}" for layer, number in numbers.items() if 0 < number < len(tiles)]
    return f"Known and scored, of {len(tiles)} test tiles: {', '.join(parts)}." if parts else ""


def different_tiles(runs: Sequence[Scores]) -> str:
    """Return which runs are scored on other test tiles than the rest as a sentence; empty if all are on the same."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for run in runs:
        groups.setdefault(tuple(sorted(run.tiles)), []).append(f"{run.method} seed {run.seed}")
    if len(groups) < 2:
        return ""
    parts = [f"{', '.join(names)} on {_listed(tiles)}" for tiles, names in groups.items()]
    return f"Scored on different test tiles, so not comparable: {'; '.join(parts)}."


def _listed(names: Sequence[str]) -> str:
    more = len(names) - LISTED
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:LISTED])} and {more} more"


def unscored_tasks(runs: Sequence[Scores]) -> str:
    """Return the tasks that methods learn and no test tile has truth for as a sentence; empty if there are none."""
    learned = {task for run in runs for task in run.tasks}
    tiles = [tile for run in runs for tile in run.tiles.values()]
    unscored = {task for task in learned if not any(_is_scored(task, tile) for tile in tiles)}
    lacking = sorted(unscored, key=registry_order)
    return f"No scores of {' and '.join(lacking)}: the test tiles have no truth for it." if lacking else ""


def _is_scored(task: Task, tile: TileScores) -> bool:
    part = tile if leads(task) else tile.further.get(task, TileScores())
    sums = part.confusion if task_entry(task).metrics == "classes" else part.height
    return bool(sums)


def class_convention(runs: Sequence[Scores]) -> str:
    """Return which classes enter means over classes as a sentence; empty without truth."""
    present, absent = _classes_in_truth(runs)
    if not present:
        return ""
    lacking = f" Not in the truth, so without a score: {', '.join(absent)}." if absent else ""
    return (
        f"AA, mIoU and mean F1: over the {_count(present)} in the truth of the test tiles ({', '.join(present)}); a "
        f"pixel predicted as another class is an error of its true class.{lacking}{_untrained(runs)}"
    )


def left_out_convention(runs: Sequence[Scores]) -> str:
    """Return the meaning of scores without some classes as a sentence, with the classes in their means."""
    present, _ = _classes_in_truth(runs)
    names = ", ".join(runs[0].without_classes)
    left = [name for name in present if name not in runs[0].without_classes]
    return (
        f"without {names}: pixels of {names} in the truth are ignored, and means are over the other {_count(left)} "
        f"({', '.join(left)}); a pixel of these that is predicted as {names} is an error."
    )


def set_convention(runs: Sequence[Scores]) -> str:
    """Return which classes the sets have, and what is ignored, as a sentence."""
    sets = next(run.class_sets for run in runs if run.class_sets)
    texts = [f"{name} = {' + '.join(classes)}" for name, classes in sets.items()]
    scored = {name for classes in sets.values() for name in classes}
    others = [name for name in next(run.classes for run in runs if run.classes) if name not in scored]
    ignored = f" Pixels of {', '.join(others)} in the truth are ignored." if others else ""
    replaced = list(dict.fromkeys(run.method for run in runs if run.had_other_sets))
    instead = f" In place of other sets, by which they were scored: {', '.join(replaced)}." if replaced else ""
    return f"Class sets, each scored as one class: {'; '.join(texts)}.{ignored}{instead}"


def _classes_in_truth(runs: Sequence[Scores]) -> tuple[list[str], list[str]]:
    """Return the classes that occur in the truth of the test tiles, and those that do not; none without truth."""
    truth = next((run.confusion().sum(axis=1) for run in runs if run.confusion().any()), None)
    if truth is None:
        return [], []
    numbers = dict(zip(runs[0].classes, truth.tolist(), strict=True))
    present = [name for name, pixels in numbers.items() if pixels]
    return present, [name for name in numbers if name not in present]


def _count(classes: Sequence[str]) -> str:
    return f"{len(classes)} {'class' if len(classes) == 1 else 'classes'}"


def _untrained(runs: Sequence[Scores]) -> str:
    """Return the classes that no run has trained, by weights of 0, as a sentence; empty without any."""
    recipes = [run.training for run in runs if run.training and tasks_with("classes", run.tasks)]
    shared = set(runs[0].classes).intersection(*map(untrained_classes, recipes)) if recipes else set()
    names = [name for name in runs[0].classes if name in shared]
    return f" Never trained, as the class weight is 0: {', '.join(names)}." if names else ""


def mixed_grids(runs: Sequence[Scores]) -> str:
    """Return that tiles weigh by area as a sentence; empty if cells are of one size."""
    weights = {weight for run in runs for weight in run.label_weights().values()}
    weights |= {weight for run in runs for weight in run.height_weights().values()}
    mixed = "Tiles have ground truth on grids of different cell sizes: cells weigh by area."
    return mixed if weights - {1.0} else ""


def protocol(runs: Sequence[Scores]) -> str:
    """Return how the test tiles were set apart as a sentence; empty if it is not known."""
    return next((f"Split: {run.protocol.rstrip('.')}." for run in runs if run.protocol), "")

"""Training one run: one data set, one method, one seed."""

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import Any

from mtlaerial.checkpoint import ResumeFile
from mtlaerial.config import TRUTH, DashboardSpec
from mtlaerial.errors import ConfigError, TrainingError
from mtlaerial.hashing import file_hashes
from mtlaerial.locking import alone
from mtlaerial.measuring import digest
from mtlaerial.meeting import follow_main
from mtlaerial.parallel import Group
from mtlaerial.plan import RunPlan, fingerprint
from mtlaerial.statistics import Statistics
from mtlaerial.stopping import Stop, Stopped, heeding
from mtlaerial.trainer import Trainer

log = logging.getLogger(__name__)


def train(
    plan: RunPlan,
    statistics: Statistics,
    training_tiles: Sequence[Path],
    validation_tiles: Sequence[Path],
    folder: Path,
    resume: Path | None = None,
    pretrained: Path | None = None,
    dashboard: DashboardSpec | None = None,
) -> None:
    """Train a run; write ``run.yaml``, ``history.csv``, ``cost.json``, and safetensors ``best``, ``last``, ``model``.

    ``model`` is the one of the two others that ``training.selection`` says; without validation tiles they are the same.

    Parameters
    ----------
    plan : RunPlan
        What to train, and how.
    statistics : Statistics
        Of the training tiles.
    training_tiles, validation_tiles : sequence of Path
        Folders of prepared tiles; without validation tiles the last weights are used.
    folder : Path
        The run's folder.
    resume : Path, optional
        Folder for the state of the unfinished training, for any number of runs; by default the run's own. A training
        that was killed goes on from there and ends as an unbroken one would.
    pretrained : Path, optional
        Weights of the encoder to begin with, from :func:`mtlaerial.models.imagenet.convert_densenet`.
    dashboard : DashboardSpec, optional
        Where the training is shown; it goes the same way with and without, whatever becomes of the server.

    Raises
    ------
    TrainingError
        When there is nothing to learn from, or the loss is no longer finite.
    ConfigError
        When classes are to be balanced that there are none of.
    Stopped
        When the program was asked to end: the next call with the same arguments goes on from there.
    """
    _require_truth(plan, statistics)
    identity = _identity(plan, statistics, validation_tiles, pretrained)
    path = resume / f"{identity[:16]}.resume.pt" if resume else folder / "model.resume.pt"
    state = ResumeFile(path, identity)
    with alone(folder) if Group.current().main else nullcontext():
        follow_main("alone")
        trainer = Trainer(plan, statistics, training_tiles, validation_tiles, pretrained)
        trainer.group.wait()
        if stored := state.load():
            trainer.load_state(stored)
            log.info("going on after step %d of %d", trainer.step, plan.training.steps)
        with _shown(trainer, dashboard, training_tiles, validation_tiles):
            with closing(trainer.update), heeding() as stop:
                _run(trainer, state, stop)
            if trainer.group.main:
                trainer.save(folder)
                state.remove()
        trainer.group.wait()


def _shown(
    trainer: Trainer,
    dashboard: DashboardSpec | None,
    training_tiles: Sequence[Path],
    validation_tiles: Sequence[Path],
) -> AbstractContextManager[object]:
    """Show a training while the block lasts, where that is wanted; of several processes the main one does."""
    if dashboard is None or not trainer.group.main:
        return nullcontext()
    from mtlaerial.dashboard.viewer import Viewer

    trainer.viewer = Viewer.of_tiles(dashboard, trainer.plan, trainer.statistics, training_tiles, validation_tiles)
    for row in trainer.history.rows:
        trainer.viewer.add(row)
    return closing(trainer.viewer)


def _run(trainer: Trainer, state: ResumeFile, stop: Stop) -> None:
    """Train to the end; when asked to end before, keep the state of this step.

    Several processes are at different steps then: what they go on from is the state of the last epoch.
    """
    try:
        trainer.run(state, stop)
    except Stopped:
        if trainer.group.size == 1:
            state.save(trainer.state())
            log.info("state kept after step %d of %d", trainer.step, trainer.spec.steps)
        raise


def _identity(plan: RunPlan, statistics: Statistics, validation_tiles: Sequence[Path], pretrained: Path | None) -> str:
    """Return a fingerprint of all that decides a training: not titles and names."""
    said: dict[str, Any] = dict.fromkeys(("title", "licence", "citation", "generated"), True)
    said["classes"] = {"__all__": {"name", "colour"}}
    return fingerprint(
        plan.decisive(),
        statistics.model_dump(exclude=said),
        {tile.name: digest(tile) for tile in validation_tiles},
        file_hashes(pretrained, "sha256") if pretrained else None,
    )


def _require_truth(plan: RunPlan, statistics: Statistics) -> None:
    present = {"semantics": bool(statistics.classes), "height": statistics.height is not None}
    for task in plan.tasks:
        if not present[task]:
            layer = TRUTH[task]
            raise TrainingError(
                f"{statistics.dataset}, training tiles", f"no valid {layer}", f"{layer} to learn {task} from",
                f"Add the layer, or take {task} out of the method's tasks.",
            )  # fmt: skip
    if plan.training.sampling == "class_balanced" and not any(entry.pixels for entry in statistics.classes):
        found = f"class_balanced for {statistics.dataset}, whose training tiles have no valid labels"
        raise ConfigError("training.sampling", found, "uniform, or labels to balance", "Write uniform.")

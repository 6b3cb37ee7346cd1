"""Train one run: one data set, one method, one seed."""

import logging
from contextlib import ExitStack, closing
from typing import Any

from mtlaerial.config.class_names import decisive_names
from mtlaerial.config.decisive_keys import indecisive
from mtlaerial.errors import DataError
from mtlaerial.runs.budget import require_decided
from mtlaerial.runs.finished import is_finished
from mtlaerial.runs.lock import run_lock
from mtlaerial.runs.plan import fingerprint
from mtlaerial.runs.progress_file import ProgressFile, failure_recorded, progress_path
from mtlaerial.system.files import remove_leftovers
from mtlaerial.system.signals import Stop, Stopped, deferred_signals
from mtlaerial.tiles.record import tile_digest, verify_tiles
from mtlaerial.tiles.statistics import ClassStatistics, Statistics
from mtlaerial.training.early_stopping import require_validation
from mtlaerial.training.evaluation import warn_of_unscored_tasks
from mtlaerial.training.finished_run import save_run
from mtlaerial.training.freezing import require_freezable
from mtlaerial.training.height_limit import warn_of_taller
from mtlaerial.training.job import TrainingJob
from mtlaerial.training.overview import overview
from mtlaerial.training.process_group import Group
from mtlaerial.training.rendezvous import follow_main
from mtlaerial.training.required_truth import require_truth
from mtlaerial.training.resume_state import ResumeFile
from mtlaerial.training.start import start_fingerprint
from mtlaerial.training.trainer import Trainer
from mtlaerial.training.watcher import Watcher

log = logging.getLogger(__name__)
DONE = "done"
INDECISIVE: dict[str, Any] = {
    **dict.fromkeys(indecisive("train", Statistics.model_fields), True),
    "images": True,  # the hashes of the tiles cover them
    "classes": {"__all__": indecisive("train", ClassStatistics.model_fields, "labels.classes")},
}
"""Parts of the statistics that do not decide the weights: they train nothing again."""


def train(job: TrainingJob, watcher: Watcher | None = None) -> None:
    """Train a run; write ``history.csv``, ``cost.json``, and safetensors ``best``, ``last``, ``model``.

    ``progress.jsonl`` tells meanwhile how far it is; see :mod:`mtlaerial.runs.progress_file`.
    ``model`` is the one of the two others that ``training.selection`` says; without validation tiles they are the same.
    Where the folder holds this run, finished, nothing is done.

    Parameters
    ----------
    job : TrainingJob
    watcher : Watcher, optional
        Shows the training; it must neither raise nor draw random numbers.

    Raises
    ------
    TrainingError
        When there is nothing to learn from, or the loss is no longer finite.
    ConfigError
        When classes are to be balanced that there are none of, or the weights of all that there are are 0; when parts
        of the network are frozen whose gradients the weighting needs; when there is ``training.patience`` without
        validation, or a budget that has not become a number of updates.
    DataError
        When a prepared tile is damaged, or the folder holds the run of another training, which ``job.replace`` allows.
    Stopped
        When the program was asked to end: the next call with the same job goes on from there.
    """
    require_decided(job.plan)
    require_truth(job.plan, job.statistics)
    require_freezable(job.plan)
    key = identity(job)
    path = job.resume / f"{key[:16]}.resume.pt" if job.resume else job.folder / "model.resume.pt"
    state = ResumeFile(path, key)
    main = Group.current().main
    progress = ProgressFile(progress_path(job.folder) if main else None, job.plan.training.steps)
    with ExitStack() as stack:
        if main:
            stack.enter_context(run_lock(job.folder))
            finished = is_finished(job.folder, job.plan, key, job.replace)
            stack.enter_context(failure_recorded(job.folder))
            _require_measured(job)
            verify_tiles([] if finished else [*job.training_tiles, *job.validation_tiles])
            remove_leftovers(job.folder)
        # The other processes wait until the main one holds the lock.
        if follow_main("alone", DONE if main and finished else "") == DONE:
            log.info("%s: this run is done, and nothing is trained", job.folder)
            return
        trainer = Trainer(job, watcher, progress, key)
        require_validation(job.plan, trainer.evaluation.validator)
        if main:
            warn_of_taller(job.plan, trainer.statistics)
            warn_of_unscored_tasks(job.plan, trainer.evaluation.validator)
            for note in trainer.ground_notes:
                log.warning("%s", note)
        trainer.group.wait()
        log.info("%s", overview(trainer))
        if stored := state.load():
            trainer.load_state(stored)
            log.info("going on after step %d of %d", trainer.step, job.plan.training.steps)
        progress.begin(trainer.step)
        with closing(trainer.update.batches), deferred_signals() as stop:
            _run(trainer, state, stop)
        if main:
            save_run(trainer, job.folder)
            state.remove()
            progress.record("end", trainer.step)
        trainer.group.wait()


def _run(trainer: Trainer, state: ResumeFile, stop: Stop) -> None:
    """Train to the end, or store the state on a stop request.

    A single process stores it at this step; several processes are at different steps and resume from the last epoch's.
    """
    try:
        trainer.run(state, stop)
    except Stopped:
        if trainer.group.size == 1:
            state.save(trainer.state())
            trainer.progress.state_saved(trainer.step)
            log.info("state kept after step %d of %d", trainer.step, trainer.spec.steps)
        raise


def identity(job: TrainingJob) -> str:
    """Return the fingerprint of the inputs that decide the weights of a training: not titles and names."""
    validation = {tile.name: tile_digest(tile) for tile in job.validation_tiles}
    names = [entry.name for entry in job.statistics.classes]
    named = decisive_names(job.plan.training, job.plan.model.start, names)
    statistics = job.statistics.model_dump(exclude=INDECISIVE)
    return fingerprint(job.plan.decisive(), statistics, validation, start_fingerprint(job), *named.values())


def _require_measured(job: TrainingJob) -> None:
    """Refuse statistics of other tiles than those of the training."""
    for tile in job.training_tiles:
        if tile_digest(tile) != job.statistics.tiles.get(tile.name):
            remedy = "Measure the training tiles again: delete the statistics, and give the same command."
            expected = "the tile that the statistics were measured on"
            raise DataError(tile, "another tile, or one that was prepared again", expected, remedy)

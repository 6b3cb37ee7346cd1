"""The training loop, and its state."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from mtlaerial.models.activation_checkpointing import checkpoint_network
from mtlaerial.runs.prepared_ground import training_ground
from mtlaerial.runs.progress_file import ProgressFile
from mtlaerial.system.progress import MILESTONES, Progress
from mtlaerial.system.signals import Stop
from mtlaerial.training.compile import compile_network
from mtlaerial.training.cost_meter import Meter, machine_of
from mtlaerial.training.divergence import PERSISTENT, divergence
from mtlaerial.training.early_stopping import is_exhausted
from mtlaerial.training.epoch_line import epoch_line
from mtlaerial.training.evaluation import Evaluation, unscored_tasks
from mtlaerial.training.evaluation_mode import evaluation_mode_fault
from mtlaerial.training.fabric import reproducible_fabric
from mtlaerial.training.history import History, require_finite
from mtlaerial.training.initial_network import initial_network
from mtlaerial.training.job import TrainingJob
from mtlaerial.training.labelled import labelled_truth
from mtlaerial.training.lone_values import require_several_values
from mtlaerial.training.optimiser import build_optimiser
from mtlaerial.training.parameter_groups import parameter_groups
from mtlaerial.training.process_group import Group
from mtlaerial.training.required_truth import require_truth
from mtlaerial.training.resume_state import ResumeFile
from mtlaerial.training.start import start_record, validation_notes
from mtlaerial.training.step_parts import build_train_step
from mtlaerial.training.watcher import Watcher
from mtlaerial.training.weight_average import WeightAverage
from mtlaerial.weighting import build_weighting

log = logging.getLogger(__name__)
milestones = logging.getLogger(MILESTONES)


class Trainer:
    """The training loop; its whole state can be taken and restored between steps.

    Parameters
    ----------
    job : TrainingJob
    watcher : Watcher, optional
    progress : ProgressFile, optional
    identity : str, optional
        Fingerprint of the plan and the data, which the weights carry.
    """

    def __init__(
        self,
        job: TrainingJob,
        watcher: Watcher | None = None,
        progress: ProgressFile | None = None,
        identity: str | None = None,
    ) -> None:
        plan, spec = job.plan, job.plan.training
        truth = labelled_truth(job)
        self.labelled = truth.area if truth else None
        statistics = truth.area.described(job.statistics) if truth else job.statistics
        # From here on nothing knows the truth that is not used.
        job = job.model_copy(update={"statistics": statistics})
        if truth:
            require_truth(plan, statistics)
        self.job, self.plan, self.spec, self.statistics = job, plan, spec, statistics
        self.weighting = build_weighting(plan.weighting, plan.tasks)
        self.fabric = reproducible_fabric(spec, plan.seed)
        self.group, self.device = Group.current(), self.fabric.device
        network = initial_network(job)
        share = self.group.share(spec.batch, spec.accumulate)
        require_several_values(network, plan, len(statistics.bands), (share.stop - share.start) // spec.accumulate)
        self.start = start_record(job)
        self.ground = training_ground(job.training_tiles, plan.dataset, statistics.generated)
        self.ground_notes = validation_notes(job, self.start)
        self.budget = job.budget.trained_on(machine_of(self.device)) if job.budget else None
        self.weighting.to(self.device)
        self.average = WeightAverage(network, spec.ema) if spec.ema else None
        groups = parameter_groups(network, plan.model.start)
        optimiser = build_optimiser(groups, spec, self.weighting.parameters(), self.weighting.learning_rate)
        # Fabric's wrapper of the model is not used: it lets nobody look at gradients on their way back.
        wrapped, self.optimiser = self.fabric.setup(network, optimiser)
        self.network = wrapped.module
        if self.average:
            self.average.network.to(self.device)
        if spec.checkpointing:
            checkpoint_network(self.network)
        if spec.compile:
            compile_network(self.network, self.weighting, spec.cuda_graphs)
        trained = self.network, self.optimiser, self.weighting, self.average
        self.update = build_train_step(job, truth, self.fabric, *trained)
        self.evaluation = Evaluation(self.average.network if self.average else self.network, job, self.device)
        self.step = 0
        self.ended_early = False
        self.mode_fault = ""
        self.history = History(plan, self.device)
        self.meter = Meter(self.device)
        self.watcher = watcher
        self.identity = identity
        self.progress = progress or ProgressFile(None, spec.steps)

    def run(self, state: ResumeFile, stop: Stop) -> None:
        """Train the steps that are left; the state is stored after each epoch.

        Raises
        ------
        Stopped
            When the program was asked to end; :meth:`state` is then to be stored.
        TrainingError
            When losses or weights are no longer finite.
        """
        bar = Progress(self.spec.steps, "training", "step", self.step)
        if self.watcher:
            self.watcher.begin(self.history.rows)
        if self._validation_due and not self.history.scored:
            self._end_epoch(state, stop)  # the program was stopped after the epoch's last step, before its validation
        self._decide_end()
        self._begin()
        while self.step < self.spec.steps and not self.ended_early:
            self._train_step()
            bar.update(1)
            self.progress.step(self.step)
            stop.check()
            if self.step % self.spec.steps_per_epoch == 0:
                self._end_epoch(state, stop)
                self._decide_end()
                self._begin()
        bar.close()
        # What validation tiles have no truth of is seen in training mode alone until here.
        self.mode_fault = evaluation_mode_fault(self, unscored_tasks(self.plan, self.evaluation.validator))

    def _begin(self) -> None:
        self.update.begin_epoch(self.epoch)
        self.meter.begin()

    def _train_step(self) -> None:
        done = self.step + 1
        whole = done % self.spec.steps_per_epoch == 0
        logged = whole or done % self.spec.log_every == 0
        self.history.add(self.update(self.step, measure_conflict=logged and len(self.plan.tasks) > 1))
        self.step = done
        if logged:
            self.meter.end(self.history.end_row(done))
            if self.watcher:
                self.watcher.add(self.history.rows[-1])
            self.meter.begin()
        if whole:
            self.weighting.end_epoch()
            self.group.average_statistics(self.network, [self.average.network] if self.average else [])

    def _end_epoch(self, state: ResumeFile, stop: Stop) -> None:
        finite = all(bool(parameter.isfinite().all()) for parameter in self.network.parameters())
        require_finite(finite, self.plan, "a weight that is not a number", self.epoch)
        if self._validation_due:
            assert self.evaluation.validator
            scores = self.evaluation.validate(self.epoch, stop)
            self.history.add_scores(scores, self.evaluation.validator.constant)
        row, best = self.history.rows[-1], self.evaluation.best
        log.debug("%s", ", ".join(f"{key} {value:.4g}" for key, value in row.items()))
        milestones.info("%s", epoch_line(row, self.plan, is_best=best is not None and best["epoch"] == self.epoch))
        validated = self.evaluation.validator is not None
        if self._validation_due or not validated:
            self.warn_of_divergence(self.epoch, self.history.last_evaluations(PERSISTENT, validated))
        if self._validation_due:
            self.progress.record("validation", self.step)
        if self.watcher:  # before the state is saved: a resumed training takes what is in the state for known to it
            self.watcher.add(self.history.rows[-1])
        if self.group.main:
            state.save(self.state())
            self.progress.state_saved(self.step)
        if self.watcher:
            self.watcher.look(self.evaluation.mapper, self.device, self.epoch)

    def _decide_end(self) -> None:
        """End the training where its patience is exhausted before its last epoch."""
        if self.spec.patience is None or self.step == self.spec.steps:
            return
        exhausted = is_exhausted(self.plan, self.history.rows)
        self.ended_early = self.group.answer_of_main(exhausted, self.device)
        if self.ended_early:
            text = "validations without a better score: %d; the training ends after epoch %d of %d"
            log.info(text, self.spec.patience, self.epoch, self.spec.epochs)

    def warn_of_divergence(self, epoch: int, rows: Sequence[Mapping[str, Any]]) -> None:
        """Warn where all of some evaluations are worse than a constant prediction, in the log and in the progress.

        At the end also where the network is worse in evaluation mode than it was trained.
        """
        texts = divergence(rows, self.plan, self.statistics), self.mode_fault
        self.progress.warning = " ".join(text for text in texts if text)
        if self.progress.warning:
            log.warning("Weights of epoch %d: %s", epoch, self.progress.warning)

    @property
    def epoch(self) -> int:
        """Epochs that are complete."""
        return self.step // self.spec.steps_per_epoch

    @property
    def _validation_due(self) -> bool:
        """Whether an epoch has just ended after which the validation tiles are scored."""
        ended = self.step > 0 and self.step % self.spec.steps_per_epoch == 0
        chosen = self.epoch % self.spec.validate_every == 0 or self.step == self.spec.steps
        return bool(self.evaluation.validator) and ended and chosen

    def state(self) -> dict[str, Any]:
        """Return the state of the training, for a resumed one."""
        return {
            "step": self.step,
            "history": self.history.state_dict(),
            "best": self.evaluation.best,
            "model": self.network.state_dict(),
            "average": self.average.state_dict() if self.average else None,
            "optimiser": self.optimiser.optimizer.state_dict(),
            "weighting": self.weighting.state_dict(),
            "precision": self.fabric.strategy.precision.state_dict(),
            "meter": self.meter.state_dict(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go back to a stored state."""
        self.step, self.evaluation.best = state["step"], state["best"]
        self.history.load_state_dict(state["history"])
        self.network.load_state_dict(state["model"])
        if self.average:
            self.average.load_state_dict(state["average"])
        self.optimiser.optimizer.load_state_dict(state["optimiser"])
        self.weighting.load_state_dict(state["weighting"])
        self.fabric.strategy.precision.load_state_dict(state["precision"])
        self.meter.load_state_dict(state["meter"])

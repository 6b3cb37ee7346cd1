"""Search over settings of a training step, alone and beside others, and the proposal of the best."""

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mtlaerial.config import Section, TrainingSpec, load_project
from mtlaerial.config.recipe_in_force import recipe_in_force
from mtlaerial.config.selection import require_method
from mtlaerial.errors import ConfigError
from mtlaerial.probe.throughput import Throughput, divisions, measure_throughput
from mtlaerial.probe.trial import Settings, Trial, run_trial
from mtlaerial.runs.plan import RunPlan
from mtlaerial.system.progress import Progress

TIE = 0.03
"""Relative slowdown up to which settings that save memory are preferred to the fastest."""
LEAN = 0.1
"""Relative saving of memory that such settings need."""


class Probed(Section):
    """All trials of a probe.

    Attributes
    ----------
    device : str
        ``cpu`` or ``cuda``.
    patch, batch : int
        Side of a patch in pixels and patches per step, from the recipe.
    steps : int
        Number of steps of the planned training.
    trials : tuple of Trial
    proposed : Settings
        For one training by itself.
    side_by_side : tuple of Throughput
        Trainings at work at once that fill the cores, with the proposed settings save the threads; none on a GPU.
    """

    device: str
    patch: int
    batch: int
    steps: int
    trials: tuple[Trial, ...]
    proposed: Settings
    side_by_side: tuple[Throughput, ...] = ()

    @property
    def alone(self) -> Trial:
        """The trial of the proposed settings."""
        return next(trial for trial in self.trials if trial.settings == self.proposed)

    @property
    def several(self) -> Throughput | None:
        """The trainings side by side that make most updates; None where one training by itself makes as many."""
        fastest = max(self.side_by_side, key=lambda throughput: throughput.rate, default=None)
        return fastest if fastest and fastest.rate > (1 + TIE) / self.alone.seconds else None


def planned(
    configs: Sequence[Path], method: str, recipe: str | None = None, settings: Mapping[str, Any] | None = None
) -> RunPlan:
    """Return the plan of a method of a configuration, a recipe and settings, without the changes of data sets.

    Raises
    ------
    ConfigError
        When the configuration has no such method.
    """
    config = load_project(*configs, recipe=recipe, settings=settings)
    require_method(config, method)
    entry = config.methods[method]
    training = recipe_in_force(config, {}, method).training
    return RunPlan(
        dataset="generated",
        method=method,
        seed=0,
        tasks=entry.tasks,
        weighting=entry.weighting,
        model=config.models[entry.model],
        # The generated patches have other classes than weights by name; the cost is that of any weights.
        training=training.model_copy(update={"class_weights": "none"}),
    )


def probe(plan: RunPlan, compiled: bool = False) -> Probed:
    """Measure a plan under all settings that may pay off on this machine, without changing it.

    Threads and precisions are tried in all combinations; then, per precision, channels last with the best number of
    threads; then checkpointing, where the network has stages for it, and compiling on request, with the better order in
    memory. On a CPU the best settings are tried once more with several trainings at once, each on cores of its own.

    Raises
    ------
    ConfigError
        When nothing could be measured.
    """
    import torch  # takes a second to import

    training = plan.training
    on_gpu = training.accelerator != "cpu" and torch.cuda.is_available()
    cores = os.cpu_count() or 1
    threads = (training.threads,) if on_gpu else thread_counts(cores)
    divided = [] if on_gpu else list(divisions(cores, threads))
    precisions = ("32-true", "bf16-mixed", "16-mixed") if on_gpu else ("32-true", "bf16-mixed")
    grid = [Settings(precision=precision, threads=count) for precision in precisions for count in threads]
    checkpoints = plan.model.checkpoints
    settings_tried = len(grid) + len(precisions) * (1 + checkpoints + compiled)
    bar = Progress(settings_tried + len(divided), "probing", "setting")
    trials: list[Trial] = []

    def run(settings: Iterable[Settings]) -> None:
        for each in list(settings):  # a list, as further() reads the trials that this adds to
            trials.append(run_trial(plan, each))
            bar.update(1)

    run(grid)
    run(further(trials, channels_last=False))
    # Both from the same trials: compiling starts from the best settings without checkpointing.
    last = [
        *(further(trials, checkpointing=True) if checkpoints else ()),
        *(further(trials, compile=True) if compiled else ()),
    ]
    run(last)
    steps = planned_steps(training, trials, on_gpu)
    alone = best(trials, steps)
    side_by_side = []
    for trainings, count in divided:
        side_by_side.append(measure_throughput(plan, alone, trainings, count))
        bar.update(1)
    bar.close()
    return Probed(
        device="cuda" if on_gpu else "cpu",
        patch=training.patch,
        batch=training.batch,
        steps=steps,
        trials=tuple(trials),
        proposed=alone.settings,
        side_by_side=tuple(side_by_side),
    )


def planned_steps(training: TrainingSpec, trials: Sequence[Trial], on_gpu: bool = False) -> int:
    """Return the steps of a training; of one with a budget those that it buys at the lowest cost of the trials."""
    costs = [trial.seconds * (1 if on_gpu else trial.settings.threads) for trial in trials if not trial.failed]
    if training.budget is None or not costs:
        return training.steps
    return max(1, math.floor(training.budget.minutes * 60 / min(costs)))


def thread_counts(cores: int) -> tuple[int, ...]:
    """Return 1, 2, 4, ... and the number of cores.

    >>> thread_counts(6)
    (1, 2, 4, 6)
    """
    return (*(2**power for power in range(cores.bit_length()) if 2**power < cores), cores)


def further(trials: Sequence[Trial], **change: bool) -> Iterator[Settings]:
    """Yield, for each precision, the settings with the fastest steps, with a change."""
    for precision in dict.fromkeys(trial.settings.precision for trial in trials):
        same_precision = [trial for trial in trials if trial.settings.precision == precision]
        yield min(same_precision, key=lambda trial: trial.total(1)).settings.model_copy(update=change)


def best(trials: Sequence[Trial], steps: int) -> Trial:
    """Return the trial that is fastest over a training, or one about as fast, in its precision, that saves memory.

    Raises
    ------
    ConfigError
        When all trials failed.
    """
    fastest = min(trials, key=lambda trial: trial.total(steps))
    if fastest.failed:
        raise ConfigError(
            "training", f"nothing that runs here ({fastest.failed})", "a network and batch that fit",
            "Lower training.batch or training.patch, or raise training.accumulate.",
        )  # fmt: skip
    limit, memory = (1 + TIE) * fastest.total(steps), (1 - LEAN) * fastest.memory_mb
    # Results depend on the precision, so memory alone is no reason to change it.
    same_precision = [trial for trial in trials if trial.settings.precision == fastest.settings.precision]
    leaner = [trial for trial in same_precision if trial.total(steps) <= limit and trial.memory_mb <= memory]
    return min(leaner, key=lambda trial: trial.memory_mb, default=fastest)


def pays_off_after(compiled: Trial, trials: Sequence[Trial]) -> int | None:
    """Return the number of steps after which compiling has paid off; None where it never does."""
    settings = compiled.settings.model_copy(update={"compile": False})
    plain = next(trial for trial in trials if trial.settings == settings)
    gain = plain.seconds - compiled.seconds
    if plain.failed or compiled.failed or gain <= 0:
        return None
    return 1 + max(0, math.ceil((compiled.first - plain.first) / gain))

"""Which settings are tried, and which of them is proposed."""

import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from mtlaerial.config import Section, load_project
from mtlaerial.errors import ConfigError
from mtlaerial.probe.trial import Settings, Trial, run_trial
from mtlaerial.runs.plan import RunPlan
from mtlaerial.system.progress import Progress

TIE = 0.03
"""Share by which a step may be slower and still count as as fast, where it takes less memory."""
LEAN = 0.1
"""Share of the memory that must be saved for that."""


class Probed(Section):
    """All trials of a probe.

    Attributes
    ----------
    device : str
        ``cpu`` or ``cuda``.
    patch, batch : int
        Of the recipe.
    steps : int
        Of the planned training.
    trials : tuple of Trial
    proposed : Settings
    """

    device: str
    patch: int
    batch: int
    steps: int
    trials: tuple[Trial, ...]
    proposed: Settings


def planned(configs: Sequence[Path], method: str) -> RunPlan:
    """Return the plan of a method of a configuration, as far as no data set changes it.

    Raises
    ------
    ConfigError
        When there is no such method.
    """
    config = load_project(*configs)
    if method not in config.methods:
        listed = ", ".join(config.methods)
        raise ConfigError("--method", method, f"one of {listed}", "Name a method of the configuration.")
    entry = config.methods[method]
    return RunPlan(
        dataset="generated",
        method=method,
        seed=0,
        tasks=entry.tasks,
        weighting=entry.weighting,
        model=config.models[entry.model],
        training=config.recipe({}, method).training,
    )


def probe(plan: RunPlan, compiled: bool = False) -> Probed:
    """Measure a plan under all settings that may pay off on this machine; nothing is changed.

    Threads and precisions are tried with each other; the order in memory with the number of threads that is best for
    each precision; checkpointing, and compiling where it is wanted, with the better order.

    Raises
    ------
    ConfigError
        When nothing could be measured.
    """
    import torch  # takes a second to import

    training = plan.training
    on_gpu = training.accelerator != "cpu" and torch.cuda.is_available()
    threads = (training.threads,) if on_gpu else thread_counts(os.cpu_count() or 1)
    precisions = ("32-true", "bf16-mixed", "16-mixed") if on_gpu else ("32-true", "bf16-mixed")
    first = [Settings(precision=precision, threads=count) for precision in precisions for count in threads]
    bar = Progress(len(first) + len(precisions) * (2 + compiled), "probing", "setting")

    def tried(settings: Settings) -> Trial:
        trial = run_trial(plan, settings)
        bar.update(1)
        return trial

    trials = [tried(settings) for settings in first]
    trials += [tried(settings) for settings in further(trials, channels_last=False)]
    found = [*further(trials, checkpointing=True), *(further(trials, compile=True) if compiled else ())]
    trials += [tried(settings) for settings in found]
    bar.close()
    steps = training.steps
    return Probed(
        device="cuda" if on_gpu else "cpu",
        patch=training.patch,
        batch=training.batch,
        steps=steps,
        trials=tuple(trials),
        proposed=best(trials, steps).settings,
    )


def thread_counts(cores: int) -> tuple[int, ...]:
    """Return 1, 2, 4, ... and the number of cores."""
    return (*(2**power for power in range(cores.bit_length()) if 2**power < cores), cores)


def further(trials: Sequence[Trial], **change: bool) -> Iterator[Settings]:
    """Yield of each precision the settings whose steps took the least time, with a change."""
    for precision in dict.fromkeys(trial.settings.precision for trial in trials):
        alike = [trial for trial in trials if trial.settings.precision == precision]
        yield min(alike, key=lambda trial: trial.total(1)).settings.model_copy(update=change)


def best(trials: Sequence[Trial], steps: int) -> Trial:
    """Return the fastest over a training of so many steps; or one as fast, in its precision, that saves memory.

    Raises
    ------
    ConfigError
        When all failed.
    """
    fastest = min(trials, key=lambda trial: trial.total(steps))
    if fastest.failed:
        raise ConfigError(
            "training", f"nothing that runs here ({fastest.failed})", "a network and batch that fit",
            "Lower training.batch or training.patch, or raise training.accumulate.",
        )  # fmt: skip
    limit, memory = (1 + TIE) * fastest.total(steps), (1 - LEAN) * fastest.memory_mb
    alike = [trial for trial in trials if trial.settings.precision == fastest.settings.precision]
    leaner = [trial for trial in alike if trial.total(steps) <= limit and trial.memory_mb <= memory]
    return min(leaner, key=lambda trial: trial.memory_mb, default=fastest)


def pays_off_after(compiled: Trial, trials: Sequence[Trial]) -> int | None:
    """Return the step after which compiled code has made up for its compiling; None where it never does."""
    settings = compiled.settings.model_copy(update={"compile": False})
    plain = next(trial for trial in trials if trial.settings == settings)
    gain = plain.seconds - compiled.seconds
    if plain.failed or compiled.failed or gain <= 0:
        return None
    return 1 + max(0, math.ceil((compiled.first - plain.first) / gain))

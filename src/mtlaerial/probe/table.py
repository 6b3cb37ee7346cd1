"""The text of a probe: table, cost of compiling, and proposal."""

from mtlaerial.probe.search import Probed, pays_off_after
from mtlaerial.probe.throughput import Throughput
from mtlaerial.probe.trial import Trial

HEADER = ("precision", "threads", "channels last", "checkpointing", "compile", "s/step", "peak MB", "")
YES_NO = {True: "yes", False: "no"}


def probed_text(probed: Probed) -> str:
    """Return a table of the trials, the break-even of compiling, and lines for the configuration."""
    rows: list[tuple[str, ...]] = [HEADER]
    rows += [_row(trial, trial.settings == probed.proposed) for trial in probed.trials]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = [_line(row, widths) for row in rows]
    title = (
        f"{probed.device}, batches of {probed.batch} generated patches of {probed.patch} px; "
        f"the training has {probed.steps:,} steps"
    )
    compiled = [_compiling(trial, probed) for trial in probed.trials if trial.settings.compile]
    return "\n".join([title, "", *table, *compiled, "", *_proposal(probed), *_several(probed)])


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = (text.ljust(width) for text, width in zip(row, widths, strict=True))
    return "  ".join(cells).rstrip()


def _row(trial: Trial, proposed: bool) -> tuple[str, ...]:
    settings = trial.settings
    values = (settings.channels_last, settings.checkpointing, settings.compile)
    switches = (YES_NO[value] for value in values)
    if trial.failed:
        costs = ("-", "-", trial.failed)
    else:
        costs = (f"{trial.seconds:.3g}", f"{trial.memory_mb:,.0f}", "*" if proposed else "")
    return settings.precision, str(settings.threads), *switches, *costs


def _compiling(trial: Trial, probed: Probed) -> str:
    if trial.failed:
        return f"Compiling in {trial.settings.precision} failed."
    steps = pays_off_after(trial, probed.trials)
    after = "never pays off" if steps is None else f"pays off after {steps:,} steps"
    return f"Compiling in {trial.settings.precision} takes {trial.first - trial.seconds:.0f} s and {after}."


def _proposal(probed: Probed) -> list[str]:
    """Return the proposed settings as YAML under a warning that some change results."""
    lines = []
    for key, value in probed.proposed.model_dump().items():
        text = str(value).lower() if isinstance(value, bool) else value
        lines.append(f"  {key}: {text}")
    return ["Proposed (*); nothing was changed. Precision and threads are part of a result:", "training:", *lines]


def _several(probed: Probed) -> list[str]:
    """Return what trainings side by side do, and what to write for several trainings."""
    if not probed.side_by_side:
        return []
    alone, several = probed.alone, probed.several
    lines = ["", "Several trainings (methods, seeds) at once, in updates per second of all of them:"]
    lines += [f"  {_throughput(throughput)}" for throughput in probed.side_by_side]
    lines.append(f"  {_trainings(1, alone.settings.threads)}: {1 / alone.seconds:.3g}")
    if several is None:
        return [*lines, "One after the other, as proposed above, they are done as soon."]
    change = f"training: {{threads: {several.settings.threads}}}"
    snakemake = f"snakemake --cores {several.trainings * several.settings.threads}"
    return [*lines, f"Proposed for several: {change}, of which {snakemake} runs {several.trainings} at once."]


def _throughput(throughput: Throughput) -> str:
    name = _trainings(throughput.trainings, throughput.settings.threads)
    if throughput.failed:
        return f"{name}: not measured ({throughput.failed})"
    return f"{name}: {throughput.rate:.3g}, {throughput.memory_mb:,.0f} MB"


def _trainings(number: int, threads: int) -> str:
    """Return e.g. ``2 of 1 thread``."""
    return f"{number} of {threads} thread" + ("s" if threads > 1 else "")

"""What was probed, as text."""

from mtlaerial.probe.search import Probed, pays_off_after
from mtlaerial.probe.trial import Trial

HEADER = ("precision", "threads", "channels last", "checkpointing", "compile", "s/step", "peak MB", "")


def probed_text(found: Probed) -> str:
    """Return a table of the trials, what compiling brings, and lines for the configuration."""
    rows = [HEADER, *(_row(trial, trial.settings == found.proposed) for trial in found.trials)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    title = (
        f"{found.device}, batches of {found.batch} generated patches of {found.patch} px; "
        f"the training has {found.steps:,} steps"
    )
    compiled = [_compiling(trial, found) for trial in found.trials if trial.settings.compile]
    return "\n".join([title, "", *table, *compiled, "", *_proposal(found)])


def _row(trial: Trial, proposed: bool) -> tuple[str, ...]:
    settings = trial.settings
    switches = (
        "yes" if value else "no" for value in (settings.channels_last, settings.checkpointing, settings.compile)
    )
    numbers = ("-", "-", trial.failed) if trial.failed else (f"{trial.seconds:.3g}", f"{trial.memory_mb:,.0f}")
    mark = () if trial.failed else ("*" if proposed else "",)
    return settings.precision, str(settings.threads), *switches, *numbers, *mark


def _compiling(trial: Trial, found: Probed) -> str:
    if trial.failed:
        return f"Compiling in {trial.settings.precision} failed."
    steps = pays_off_after(trial, found.trials)
    after = "never pays off" if steps is None else f"pays off after {steps:,} steps"
    return f"Compiling in {trial.settings.precision} takes {trial.first - trial.seconds:.0f} s and {after}."


def _proposal(found: Probed) -> list[str]:
    """Return YAML, with what must be known before it is taken."""
    values = found.proposed.model_dump()
    lines = [f"  {key}: {str(value).lower() if isinstance(value, bool) else value}" for key, value in values.items()]
    return ["Proposed (*); nothing was changed. Precision and threads are part of a result:", "training:", *lines]

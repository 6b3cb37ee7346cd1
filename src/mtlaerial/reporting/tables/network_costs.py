"""Cost of one network for all tasks beside one for each: parameters, and what the trainings took."""

from collections.abc import Mapping, Sequence
from statistics import median

from mtlaerial.config import Task, task_entry
from mtlaerial.config.height_head import height_channels
from mtlaerial.config.label_efficiency import LabelEfficiency
from mtlaerial.reporting.tables.costs import Costs, median_hours
from mtlaerial.reporting.tables.panels import Cell, Note, Panel
from mtlaerial.reporting.tables.values import MISSING, Values
from mtlaerial.scoring.scores import Scores


def cost_panel(values: Values, curves: Mapping[Task, LabelEfficiency], costs: Costs) -> Panel | None:
    """Return the costs of the networks that use most truth: each task alone, their sum, and one for all.

    Parameters
    ----------
    values : Values
    curves : mapping of task to LabelEfficiency
    costs : Costs
        Of the trainings; without any, the panel has no such columns.

    Returns
    -------
    Panel or None
        None where the networks are not known, or a curve has no scored method.
    """
    singles = {task: _with_most_truth(values, task, curve.single) for task, curve in curves.items()}
    joint = next((_with_most_truth(values, task, curve.joint) for task, curve in curves.items()), None)
    alone = [run for run in singles.values() if run]
    if joint is None or len(alone) < len(joint.tasks):
        return None
    counts = [_parameters(run) for run in (*alone, joint)]
    if None in counts:
        return None
    parameters = [count for count in counts if count is not None]
    seconds = [_seconds(values, run.method, costs) for run in (*alone, joint)]
    hours = [median_hours(values.dataset, run.method, costs, values.runs) for run in (*alone, joint)]
    names = [f"{' and '.join(run.tasks)} ({run.method})" for run in (*alone, joint)]
    measured = any(second is not None for second in seconds)
    rows = [_row(*entry, measured) for entry in zip(names, parameters, seconds, hours, strict=True)]
    total = _row(
        "both alone" if len(alone) == 2 else "all alone", sum(parameters[:-1]), None, _sum(hours[:-1]), measured
    )
    share = parameters[-1] / sum(parameters[:-1])
    header = ("", "parameters (million)", *(("s per update", "hours of training") if measured else ()))
    note = "Parameters: for images of three bands. The single networks have no part in common."
    timed = (
        "Times are medians over seeds of what the trainings measured themselves; where several ran side by side, each "
        "slowed the others."
    )
    return Panel(
        key=f"{values.dataset}-label-efficiency-costs",
        dataset=values.dataset,
        title=values.title(),
        subject="cost of one network beside one for each task",
        details="Trainings with the most truth of the curves.",
        header=header,
        rows=(*rows[:-1], total, rows[-1]),
        notes=tuple(map(Note, (note, timed) if measured else (note,))),
        reading=f"One network for all tasks has {100 * share:.0f} % of the parameters of one for each.",
    )


def _with_most_truth(values: Values, task: Task, methods: Sequence[str]) -> Scores | None:
    runs = [run for run in values.runs if run.method in methods]
    return max(runs, key=lambda run: run.percent_of_truth(task), default=None)


def _parameters(run: Scores) -> int | None:
    """Return the number of parameters of a run's network; None where it is not known."""
    from mtlaerial.models.network_counts import BANDS, count_parameters

    if run.network is None or run.training is None:
        return None
    channels = {"classes": len(run.classes), "values": height_channels(run.training.height_head)}
    return count_parameters(run.network, BANDS, {task: channels[task_entry(task).output] for task in run.tasks})


def _seconds(values: Values, method: str, costs: Costs) -> float | None:
    times = [cost.seconds_per_step for key, cost in costs.items() if key[:2] == (values.dataset, method)]
    return median(times) or None if times else None


def _sum(hours: Sequence[float | None]) -> float | None:
    measured = [value for value in hours if value is not None]
    return sum(measured) if len(measured) == len(hours) else None


def _row(name: str, parameters: int, seconds: float | None, hours: float | None, measured: bool) -> tuple[Cell, ...]:
    times = [(seconds, "{:.3f}"), (hours, "{:.2f}")] if measured else []
    cells = [Cell(MISSING if value is None else form.format(value), measured=True) for value, form in times]
    return (Cell(name), Cell(f"{parameters / 1e6:.2f}"), *cells)

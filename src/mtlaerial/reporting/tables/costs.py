"""Costs of methods, for the report only: measurements differ from run to run."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median

from mtlaerial.reporting.tables.panels import Cell, Note, Panel
from mtlaerial.reporting.tables.values import MISSING
from mtlaerial.runs.cost import Cost
from mtlaerial.scoring.scores import Scores

Costs = Mapping[tuple[str, str, int], Cost]
"""By data set, method and seed."""
TIME, RATIO, CORES, GPUS, MEMORY = "time per update (s)", "time (×)", "core-minutes", "GPU-minutes", "memory (×)"
PROCESS_MEMORY = 0.1
"""Resolution of memory on the CPU, as a share of the baseline's: it is the process's, in which trainings of the same
code differ by up to 8 %. On a GPU it is torch's, which repeats."""
LEADING_COLUMNS = 2
"""Columns of the panel before those of the costs: they name the row."""
ON_CPU = "CPU"
"""Beginning of the device of a cost on the CPU."""


def with_costs(
    panel: Panel,
    methods: Sequence[str],
    baseline: str,
    costs: Costs,
    runs: Sequence[Scores] = (),
    ensembles: bool = False,
) -> Panel:
    """Return a panel with columns of each row's costs: time of an update and of a training, and peak memory.

    Parameters
    ----------
    panel : Panel
    methods : sequence of str
        One per row.
    baseline : str
        The method whose costs are the unit of the ratios, of medians over seeds.
    costs : Costs
        A method without costs has dashes, and no ratios where its device is another than the baseline's.
    runs : sequence of Scores
        The runs of the methods, whose recipes tell updates and threads.
    ensembles : bool
        Whether some methods are ensembles, for the note.

    Returns
    -------
    Panel
        Without columns whose values would all be dashes.
    """
    by_method: dict[str, list[Cost]] = {method: [] for method in methods}
    for (dataset, method, _), cost in costs.items():
        if dataset == panel.dataset and method in by_method:
            by_method[method].append(cost)
    first = {run.method: run for run in reversed(runs)}
    trainings = {method: median_hours(panel.dataset, method, costs, runs) for method in methods}
    texts = [
        _absolute(by_method[method], first.get(method), trainings[method])
        | _ratios(by_method[method], by_method[baseline])
        for method in methods
    ]
    headers = [name for name in (TIME, RATIO, CORES, GPUS, MEMORY) if any(name in row for row in texts)]
    if not headers:
        return panel
    rows = [
        _insert(row, [of_row.get(name, MISSING) for name in headers])
        for row, of_row in zip(panel.rows, texts, strict=True)
    ]
    header = (*panel.header[:LEADING_COLUMNS], *headers, *panel.header[LEADING_COLUMNS:])
    return replace(panel, header=header, rows=tuple(rows), notes=(*panel.notes, Note(_note(baseline, ensembles))))


def training_hours(run: Scores, cost: Cost) -> float:
    """Return the hours of a training, updates by the time of one; 0 where they are not known, and of an ensemble."""
    return cost.seconds_per_step * (run.updates or 0) / 3600


def median_hours(dataset: str, method: str, costs: Costs, runs: Sequence[Scores]) -> float | None:
    """Return the hours of a method's training as a median over seeds; None where they are not known.

    Parameters
    ----------
    dataset, method : str
    costs : Costs
    runs : sequence of Scores
        Runs on the data set; they tell their updates, which early stopping makes different.
    """
    measured = [(run, costs.get((dataset, method, run.seed))) for run in runs if run.method == method]
    hours = [training_hours(run, cost) for run, cost in measured if cost]
    return median(filter(None, hours)) if any(hours) else None


def _note(baseline: str, ensembles: bool) -> str:
    note = (
        f"Costs: what the trainings measured themselves, medians over seeds; ×: multiples of {baseline}'s on the same "
        "device. Core-minutes, GPU-minutes: of a whole training, updates x time, on the CPU x threads. Where several "
        "trainings shared a device, each slowed the others; docs/benchmarks.md has ratios that were measured alone. "
        f"Memory on the CPU is known to {100 * PROCESS_MEMORY:g} % only: ≈ 1 is within that."
    )
    of_ensembles = " Of an ensemble: the sum of its members' times, and their largest memory."
    return note + of_ensembles if ensembles else note


def _insert(row: tuple[Cell, ...], texts: Sequence[str]) -> tuple[Cell, ...]:
    cells = [Cell(text, measured=True) for text in texts]
    return (*row[:LEADING_COLUMNS], *cells, *row[LEADING_COLUMNS:])


def _absolute(costs: Sequence[Cost], run: Scores | None, hours: float | None) -> dict[str, str]:
    """Return the time of an update, and that of a training of so many hours where its recipe is known, by header."""
    seconds = median(cost.seconds_per_step for cost in costs) if costs else 0.0
    if not seconds:  # 0: not measured
        return {}
    texts = {TIME: f"{seconds:.3g}"}
    if hours is not None and run is not None and run.training is not None:
        on_cpu = costs[0].device.startswith(ON_CPU)
        minutes = 60 * hours * (run.training.threads if on_cpu else 1)
        texts[CORES if on_cpu else GPUS] = f"{minutes:.3g}"
    return texts


def _ratios(costs: Sequence[Cost], baseline: Sequence[Cost]) -> dict[str, str]:
    """Return time and memory relative to the baseline's, by header; none of another device."""
    devices = {cost.device for cost in (*costs, *baseline)}
    if not costs or not baseline or len(devices) > 1:
        return {}
    time, memory = (_ratio(costs, baseline, field) for field in ("seconds_per_step", "peak_memory_mb"))
    on_cpu = any(device.startswith(ON_CPU) for device in devices)
    texts = {RATIO: _text(time), MEMORY: _rough_text(memory) if on_cpu else _text(memory)}
    return {name: text for name, text in texts.items() if text != MISSING}


def _ratio(costs: Sequence[Cost], baseline: Sequence[Cost], field: str) -> float | None:
    value = median(getattr(cost, field) for cost in costs)
    unit = median(getattr(cost, field) for cost in baseline)
    return value / unit if value and unit else None  # 0: not measured


def _text(ratio: float | None) -> str:
    return MISSING if ratio is None else f"{ratio:.2f}"


def _rough_text(ratio: float | None) -> str:
    """Return a ratio to one decimal, and no number where it is within the resolution of 1."""
    if ratio is None:
        return MISSING
    return "≈ 1" if abs(ratio - 1) < PROCESS_MEMORY else f"{ratio:.1f}"

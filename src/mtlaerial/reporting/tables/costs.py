"""Costs of methods relative to a baseline: for the report only, since measurements differ from run to run."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median

from mtlaerial.reporting.tables.panels import Cell, Note, Panel
from mtlaerial.reporting.tables.values import MISSING
from mtlaerial.runs.cost import Cost

Costs = Mapping[tuple[str, str, int], Cost]
"""By data set, method and seed."""
COLUMNS = {"time (×)": "seconds_per_step", "memory (×)": "peak_memory_mb"}
"""Field of the cost for each header."""
PROCESS_MEMORY = 0.1
"""Resolution of memory on the CPU, as a share of the baseline's: it is the process's, in which trainings of the same
code differ by up to 8 %. On a GPU it is torch's, which repeats."""
LEADING_COLUMNS = 2
"""Columns of the panel before those of the costs: they name the row."""


def with_costs(panel: Panel, methods: Sequence[str], baseline: str, costs: Costs, ensembles: bool = False) -> Panel:
    """Return a panel with two more columns: time per step and peak memory of each row's method.

    Parameters
    ----------
    panel : Panel
    methods : sequence of str
        One per row.
    baseline : str
        The method whose costs are the unit: values are ratios of medians over seeds.
    costs : Costs
        A method without costs, or with one of another device than the baseline's, has dashes.
    ensembles : bool
        Whether some methods are ensembles, for the note.

    Returns
    -------
    Panel
        The panel itself, unchanged, if all values would be dashes.
    """
    by_method: dict[str, list[Cost]] = {method: [] for method in methods}
    for (dataset, method, _), cost in costs.items():
        if dataset == panel.dataset and method in by_method:
            by_method[method].append(cost)
    ratios = [_ratios(by_method[method], by_method[baseline]) for method in methods]
    if all(text == MISSING for pair in ratios for text in pair):
        return panel
    note = (
        f"Time of an update and peak memory, as multiples of {baseline}'s: medians over seeds of what the trainings "
        "measured themselves, on the same device. Where several shared it, each slowed the others; docs/benchmarks.md "
        f"has ratios that were measured alone. Memory on the CPU is known to {100 * PROCESS_MEMORY:g} % only: ≈ 1 is "
        "within that."
    )
    if ensembles:
        note += " Of an ensemble: the sum of its members' times, and their largest memory."
    rows = [_insert(row, pair) for row, pair in zip(panel.rows, ratios, strict=True)]
    header = (*panel.header[:LEADING_COLUMNS], *COLUMNS, *panel.header[LEADING_COLUMNS:])
    return replace(panel, header=header, rows=tuple(rows), notes=(*panel.notes, Note(note)))


def _insert(row: tuple[Cell, ...], texts: Sequence[str]) -> tuple[Cell, ...]:
    cells = [Cell(text, measured=True) for text in texts]
    return (*row[:LEADING_COLUMNS], *cells, *row[LEADING_COLUMNS:])


def _ratios(costs: Sequence[Cost], baseline: Sequence[Cost]) -> list[str]:
    devices = {cost.device for cost in (*costs, *baseline)}
    if not costs or not baseline or len(devices) > 1:
        return [MISSING] * len(COLUMNS)
    time, memory = (_ratio(costs, baseline, field) for field in COLUMNS.values())
    on_cpu = any("CPU" in device for device in devices)
    return [_text(time), _rough_text(memory) if on_cpu else _text(memory)]


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

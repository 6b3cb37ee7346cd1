"""What methods cost beside another. No two runs measure the same: it is for the report alone, not for tables' files."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median

from mtlaerial.reporting.tables.panels import Cell, Note, Panel
from mtlaerial.reporting.tables.values import MISSING
from mtlaerial.runs.cost import Cost

Costs = Mapping[tuple[str, str, int], Cost]
"""By data set, method and seed."""
COLUMNS = {"time (×)": "seconds_per_step", "memory (×)": "peak_memory_mb"}
AFTER = 2
"""Columns of the panel that stay before those of the costs: what a row is about."""


def with_costs(panel: Panel, methods: Sequence[str], baseline: str, costs: Costs) -> Panel:
    """Return a panel with two more columns: time per step and peak memory of each row's method.

    Parameters
    ----------
    panel : Panel
    methods : sequence of str
        One per row.
    baseline : str
        The method that costs are given as multiples of: ratios of medians over seeds.
    costs : Costs
        A method without any, or with one of another device than the baseline's, gets dashes.

    Returns
    -------
    Panel
        As it was where nothing is known.
    """
    own = {method: [cost for key, cost in costs.items() if key[:2] == (panel.dataset, method)] for method in methods}
    more = [[_ratio(own[method], own[baseline], key) for key in COLUMNS.values()] for method in methods]
    if all(text == MISSING for texts in more for text in texts):
        return panel
    cells = ([Cell(text, measured=True) for text in texts] for texts in more)
    note = (
        f"Time of an update and peak memory, as multiples of {baseline}'s: medians over seeds of what the trainings "
        "measured themselves, on the same device. Where several shared it, each slowed the others; docs/benchmarks.md "
        "has ratios that were measured alone."
    )
    return replace(
        panel,
        header=(*panel.header[:AFTER], *COLUMNS, *panel.header[AFTER:]),
        rows=tuple((*row[:AFTER], *pair, *row[AFTER:]) for row, pair in zip(panel.rows, cells, strict=True)),
        notes=(*panel.notes, Note(note)),
    )


def _ratio(own: Sequence[Cost], base: Sequence[Cost], key: str) -> str:
    if not own or not base or len({cost.device for cost in (*own, *base)}) > 1:
        return MISSING
    mine, other = (median(getattr(cost, key) for cost in costs) for costs in (own, base))
    return f"{mine / other:.2f}" if mine and other else MISSING  # 0: not measured

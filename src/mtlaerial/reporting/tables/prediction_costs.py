"""Costs of predictions, for the report only: measurements differ from run to run."""

from collections.abc import Mapping, Sequence
from statistics import median

from mtlaerial.reporting.tables.panels import Cell
from mtlaerial.reporting.tables.values import MISSING
from mtlaerial.runs.cost import PredictionCost

PredictionCosts = Mapping[tuple[str, str, int], PredictionCost]
"""By data set, method and seed."""
TIME, MEMORY = "s per Mpixel", "memory (MB)"
NOTE = (
    "s per Mpixel and memory: what the predictions of the test tiles measured themselves, medians over seeds; time by "
    "the images' pixels, with reading and writing, and the peak of memory above that of the program. Where other work "
    "shared the machine, they took longer; docs/benchmarks.md has ratios that were measured alone."
)


def cost_series(dataset: str, methods: Sequence[str], costs: PredictionCosts) -> list[tuple[str, list[Cell]]]:
    """Return header and cells, one per method, of time and of memory; none of what no method has.

    Parameters
    ----------
    dataset : str
    methods : sequence of str
    costs : PredictionCosts
    """
    by_method: dict[str, list[PredictionCost]] = {method: [] for method in methods}
    for (source, method, _), cost in costs.items():
        if source == dataset and method in by_method:
            by_method[method].append(cost)
    times = [[cost.seconds_per_mpixel for cost in by_method[method]] for method in methods]
    memories = [
        [cost.peak_memory_mb for cost in by_method[method] if cost.peak_memory_mb is not None] for method in methods
    ]
    series = [(TIME, times, "{:.3g}"), (MEMORY, memories, "{:.0f}")]
    return [
        (header, [Cell(form.format(median(of_seeds)) if of_seeds else MISSING, measured=True) for of_seeds in values])
        for header, values, form in series
        if any(values)
    ]

"""Panel of a comparison with a baseline: rows ordered by effect, intervals, verdicts, and the design's power."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf, isfinite, nan
from statistics import fmean

from mtlaerial.config import Task
from mtlaerial.config.comparison import NoiseSpec, percent
from mtlaerial.reporting.inference.intervals import CONFIDENCE
from mtlaerial.reporting.inference.power import POWER, Design, detectable_effect, equivalence_margin, noise_of
from mtlaerial.reporting.tables.columns import GAINS
from mtlaerial.reporting.tables.comparison import Comparison
from mtlaerial.reporting.tables.ensembles import ensemble_notes
from mtlaerial.reporting.tables.gain import gain_text
from mtlaerial.reporting.tables.ground_truth import coverage, different_tiles, mixed_grids, protocol
from mtlaerial.reporting.tables.notes import mark_notes
from mtlaerial.reporting.tables.panels import Cell, Note, Panel
from mtlaerial.reporting.tables.readings.comparisons import verdicts_reading
from mtlaerial.reporting.tables.values import MISSING, Values

(GAIN,) = GAINS
INTERVAL = f"{100 * CONFIDENCE:g} % interval, simultaneous"
Weightings = Mapping[str, str]
"""The weighting of each method that is compared."""
Comparisons = Mapping[str, Comparison]
"""The comparison of each method but the baseline."""


def comparison_panel(
    values: Values, methods: Weightings, comparisons: Comparisons, key: str, subject: str, *notes: str
) -> Panel:
    """Lay out a comparison.

    Parameters
    ----------
    values : Values
        Values of one data set.
    methods : mapping of method to weighting
        The rows, in the order that :func:`by_effect` gives.
    comparisons : mapping of method to Comparison
        A method without one is the baseline.
    key, subject : str
        Those of the panel.
    *notes : str
        Sentences on the choice of the baseline.
    """
    rows = by_effect(methods, comparisons)
    gains = [GAIN] if any(values.has_score(method, GAIN) for method in rows) else []
    areas = list(dict.fromkeys(area for entry in comparisons.values() for area in entry.by_area))
    tasks, reached = _weights(values, rows)
    cells = []
    for method in rows:
        gain = [Cell(values.text(method, column)) for column in gains]
        weights = [Cell(reached[method])] if tasks else []
        leading = Cell(values.label(method)), Cell(methods[method])
        cells.append((*leading, *gain, *_cells(comparisons.get(method), areas), *weights))
    weight_headers = [f"weights at the end ({', '.join(tasks)})"] if tasks else []
    area_headers = [f"effect by area ({', '.join(areas)})"] if areas else []
    gain_headers = [column.header for column in gains]
    truth = (different_tiles(values.runs), coverage(values.runs), mixed_grids(values.runs), protocol(values.runs))
    about_methods = (*values.notes, *ensemble_notes(values.runs, rows), *mark_notes(values, rows))
    sentences = filter(None, (*_notes(comparisons, bool(tasks)), *notes, *about_methods, *truth))
    return Panel(
        key=f"{values.dataset}-{key}",
        dataset=values.dataset,
        title=values.title(),
        subject=subject,
        details=" ".join((values.sampling(), gain_text(values.runs) if gains else "")).strip(),
        header=("", "weighting", *gain_headers, "effect (%)", INTERVAL, "verdict", *area_headers, *weight_headers),
        rows=tuple(cells),
        notes=tuple(map(Note, sentences)),
        reading=verdicts_reading(comparisons),
    )


def by_effect(methods: Iterable[str], comparisons: Comparisons) -> list[str]:
    """Return methods by falling effect: the baseline has 0, and those without an effect are last."""
    return sorted(methods, key=lambda method: -effect_of(comparisons, method))


def effect_of(comparisons: Comparisons, method: str) -> float:
    """Return the effect of a method: 0 of the baseline itself, minus infinity if it is not known."""
    effect = comparisons[method].difference.effect if method in comparisons else 0.0
    return effect if isfinite(effect) else -inf


def _cells(comparison: Comparison | None, areas: Sequence[str]) -> Iterator[Cell]:
    if comparison is None:
        yield from map(Cell, (MISSING, MISSING, "baseline", *([MISSING] if areas else [])))
        return
    yield Cell(_signed(comparison.difference.effect))
    interval = " to ".join(map(_signed, comparison.interval))
    yield Cell(interval if comparison.difference.tested else MISSING)
    yield Cell(comparison.sentence)
    if areas:
        yield Cell(", ".join(_signed(comparison.by_area.get(area, nan)) for area in areas))


def _signed(fraction: float) -> str:
    return f"{100 * fraction:+.2f}".replace("-", "−") if isfinite(fraction) else MISSING


def _weights(values: Values, methods: Iterable[str]) -> tuple[list[Task], dict[str, str]]:
    """Return the tasks with weights, and each method's weights at the end of its trainings as text."""
    tasks = [task for task in values.tasks if any(task in run.final_weights for run in values.runs)]
    texts = {}
    for method in methods:
        runs = [run.final_weights for run in values.runs if run.method == method and run.final_weights]
        means = [fmean(run[task] for run in runs) for task in tasks if runs]
        texts[method] = ", ".join(f"{mean:.3g}" for mean in means) or MISSING
    return tasks, texts


def _notes(comparisons: Comparisons, weights: bool) -> Iterator[str]:
    entries = list(comparisons.values())
    baseline, margin = entries[0].baseline, entries[0].margin
    seeds = _range(entry.difference.seeds for entry in entries)
    tiles = _range(entry.difference.tiles for entry in entries)
    yield (
        f"Effect: mean of the relative gains in the tasks' scores over {baseline}, for two tasks in mIoU and MAE; "
        "positive is better. Scores are pooled over the test tiles and averaged over the seeds that both have."
    )
    yield (
        f"Interval: over seeds ({seeds}) and test tiles ({tiles}), paired; all intervals of the table "
        f"({entries[0].comparisons}) hold together with {100 * CONFIDENCE:g} % confidence."
    )
    yield (
        f"better, worse: the interval excludes 0. equivalent: it lies within ±{100 * margin:g} % "
        "(run.comparison.margin). inconclusive: neither; the interval has the differences that remain possible."
    )
    yield from power_note(entries)
    if entries[0].by_area:
        yield (
            f"By area: the tiles of an area share their trainings, and there are {len(entries[0].by_area)} training "
            "areas in all. Verdicts hold for trainings on these, and on others only as far as the effects by area are "
            "alike: docs/scores.md, Verdicts."
        )
    if weights:
        yield "Weights at the end: means over the last tenth of the updates, and over seeds."
    yield "Compared are whole methods: where they differ in more than the weighting, that counts too."


def power_note(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Yield what the design of a comparison can detect, given the deviations that it shows itself."""
    tested = design_and_noise(comparisons)
    if tested is None:
        yield "No verdict: that takes at least two seeds and two test tiles with truth."
        return
    design, noise = tested
    effect, margin = detectable_effect(design, noise), equivalence_margin(design, noise)
    yield (
        f"Power: with these deviations of the differences ({noise.text}), the minimal detectable effect of this design "
        f"is {percent(effect)}, and the smallest margin of equivalence ±{percent(margin)} (power "
        f"{100 * POWER:g} %)."
    )


def design_and_noise(comparisons: Sequence[Comparison]) -> tuple[Design, NoiseSpec] | None:
    """Return the design of a comparison, and the deviations that it shows itself; None where nothing is tested."""
    tested = [entry.difference for entry in comparisons if entry.difference.tested]
    noise = noise_of(tested)
    if noise is None:
        return None
    return Design(min(each.seeds for each in tested), min(each.tiles for each in tested), len(tested)), noise


def _range(numbers: Iterable[int]) -> str:
    distinct = sorted(set(numbers))
    return str(distinct[0]) if len(distinct) == 1 else f"{distinct[0]} to {distinct[-1]}"

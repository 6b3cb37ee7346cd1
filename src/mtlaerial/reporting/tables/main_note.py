"""Note on what the main table of a data set can show."""

from collections.abc import Iterator

from mtlaerial.config.comparison import percent
from mtlaerial.reporting.inference.power import POWER, detectable_effect
from mtlaerial.reporting.tables.comparison_panel import design_and_noise
from mtlaerial.reporting.tables.values import Values
from mtlaerial.reporting.tables.weightings import comparable, compare_with_single

GENERATED = "Generated data: the scores show that the workflow learns, and say nothing about real images."
OPEN = "Whether learning several tasks at once pays is open"


def main_note(values: Values, gains: bool) -> str:
    """Return the sentences; ``gains`` says whether the table has any Δm."""
    sentences = [GENERATED] if values.runs[0].generated else []
    return " ".join([*sentences, *_gain_sentences(values)] if gains else sentences)


def _gain_sentences(values: Values) -> Iterator[str]:
    """Yield a sentence on the differences to single tasks that the runs can tell from chance."""
    comparisons = list(compare_with_single(values.runs, comparable(values.runs)).values())
    tested = design_and_noise(comparisons)
    if tested is None:
        yield f"{OPEN}: verdicts take methods of each task alone, two seeds and two test tiles at least."
        return
    design, noise = tested
    limit = percent(detectable_effect(design, noise))
    size = f"{design.seeds} seeds and {design.tiles} test tiles"
    if any(entry.verdict in ("better", "worse", "equivalent") for entry in comparisons):
        yield (
            f"With {size} a Δm of {limit} is told from chance in {100 * POWER:g} of 100 repetitions, a smaller one in "
            "fewer; verdicts are in the table of weightings."
        )
    else:
        yield f"{OPEN}: with {size} a Δm has to be {limit} to be told from chance (power {100 * POWER:g} %)."

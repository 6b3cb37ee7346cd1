"""Readings of comparisons: verdicts counted, steps and shares whose interval excludes no difference."""

from collections.abc import Iterable, Mapping, Sequence

from mtlaerial.reporting.inference.differences import Difference
from mtlaerial.reporting.inference.intervals import CONFIDENCE
from mtlaerial.reporting.tables.comparison import Comparison
from mtlaerial.reporting.tables.readings.scores import sentence

NAMED = 4
"""Methods that a sentence names; more are counted."""


def verdicts_reading(comparisons: Mapping[str, Comparison]) -> str:
    """Return the verdicts of a comparison in a sentence."""
    entries = list(comparisons.values())
    if not entries:
        return ""
    baseline, tested = entries[0].baseline, [entry for entry in entries if entry.verdict]
    if not tested:
        return f"No verdict on any method against {baseline}: {entries[0].sentence.partition(':')[0]}."
    methods: dict[str, list[str]] = {"better": [], "worse": [], "equivalent": [], "inconclusive": []}
    for entry in tested:
        methods[str(entry.verdict)].append(entry.method)
    within = f" within ±{100 * entries[0].margin:g} %"
    words = {"equivalent": f"equivalent{within}"}
    parts = [f"{words.get(name, name)}: {listed(of_it)}" for name, of_it in methods.items() if of_it]
    return sentence([f"Against {baseline} {', '.join(parts)}"])


def differences_reading(score: str, differences: Sequence[Difference], lower_is_better: bool) -> str:
    """Return how many of some differences in a score are told from chance, each by itself, and in which direction."""
    tested = [difference for difference in differences if difference.tested]
    if not tested:
        return f"No difference in {score} is told from chance: that takes two seeds and two test tiles."
    signs = [-1 if lower_is_better else 1] * len(tested)
    lows = [min(sign * end for end in each.interval()) for sign, each in zip(signs, tested, strict=True)]
    highs = [max(sign * end for end in each.interval()) for sign, each in zip(signs, tested, strict=True)]
    better, worse = sum(low > 0 for low in lows), sum(high < 0 for high in highs)
    number = "the one difference" if len(differences) == 1 else f"{len(differences)} differences"
    alone = f"with {100 * CONFIDENCE:g} % confidence" + (", each by itself" if len(differences) > 1 else "")
    return f"In {score}, of {number}: {better} better and {worse} worse {alone}."


def listed(names: Iterable[str]) -> str:
    """Return names separated by commas; many are counted.

    >>> listed(["a", "b"]), listed("abcde")
    ('a, b', '5 methods')
    """
    texts = list(names)
    return ", ".join(texts) if len(texts) <= NAMED else f"{len(texts)} methods"

"""Cross-task consistency in tables: shares of cells whose predicted class and height break a rule of the data set."""

from collections.abc import Iterator, Sequence

from mtlaerial.config import task_entry
from mtlaerial.config.consistency import ConsistencyRules
from mtlaerial.reporting.tables.groups import OVERALL
from mtlaerial.scoring.consistency import pooled_violations
from mtlaerial.scoring.joint import BOTH
from mtlaerial.scoring.scores import Scores

VIOLATIONS = "violations"
"""The score: of all cells, and of those that are predicted as a class with a rule."""


def violation_rows(run: Scores) -> Iterator[tuple[str, str, str, float]]:
    """Yield mask, group, score and value of each share; none of a class that is never predicted."""
    # Of joined folds that were scored by different rules, some tiles alone may have counts.
    tiles = {name: tile.violations for name, tile in run.tiles.items() if run.consistency}
    for group, (broken, cells) in pooled_violations(tiles, run.label_weights()).items():
        if cells:
            yield "all", group, VIOLATIONS, float(broken / cells)


def ruled_alike(runs: Sequence[Scores]) -> list[Scores]:
    """Return the runs without rules that differ from those of the first run that has some.

    Finished rows may have been scored by rules that the data set no longer has, or by none.
    """
    rules = rules_of(runs)
    return [run if run.consistency == rules else run.model_copy(update={"consistency": {}}) for run in runs]


def rules_of(runs: Sequence[Scores]) -> ConsistencyRules:
    """Return the rules that a data set's rows are scored by; empty without any."""
    return next((run.consistency for run in runs if run.consistency), {})


def consistency_convention(runs: Sequence[Scores]) -> str:
    """Return the rules, the truth's share that breaks them, and the rows without the score, as a sentence."""
    rules = rules_of(runs)
    texts = [f"{name} {rule.height} m" for name, rule in rules.items()]
    ruled = next(run for run in runs if run.consistency)
    truth = pooled_violations({name: tile.true_violations for name, tile in ruled.tiles.items()}, ruled.label_weights())
    broken, cells = truth.get(OVERALL, (0.0, 0.0))
    share = f" In the ground truth: {100 * broken / cells:.2f} %." if cells else ""
    return (
        "violations: cells whose predicted class does not fit the predicted height, of all cells, or of those "
        f"predicted as a class; heights that fit: {', '.join(texts)}.{share}{_not_ruled(runs, rules)}"
    )


def _not_ruled(runs: Sequence[Scores], rules: ConsistencyRules) -> str:
    both = [run for run in runs if {task_entry(task).metrics for task in run.tasks} >= set(BOTH)]
    methods = dict.fromkeys(run.method for run in both if run.consistency != rules)
    return f" Not scored by these rules: {', '.join(methods)}." if methods else ""

"""Notes on where the rows of a table come from: the recipes of their trainings, and rows trained elsewhere."""

from collections.abc import Sequence

from mtlaerial.scoring.scores import Scores

MARK = "†"
"""Mark of a row of which a run was not trained here."""


def recipe_note(runs: Sequence[Scores]) -> str:
    """Return the recipes of the methods as a sentence; empty where no run names one.

    Parameters
    ----------
    runs : sequence of Scores
        All runs on one data set.
    """
    methods: dict[str, list[str]] = {}
    for run in runs:
        of_recipe = methods.setdefault(run.recipe, [])
        if run.method not in of_recipe:
            of_recipe.append(run.method)
    unnamed = methods.pop("", [])
    if not methods:
        return ""
    if len(methods) == 1 and not unnamed:
        return f"Recipe: {next(iter(methods))}."
    parts = [f"{recipe}: {', '.join(names)}" for recipe, names in methods.items()]
    parts += [f"none named: {', '.join(unnamed)}"] if unnamed else []
    return f"Recipes: {'; '.join(parts)}."


def ground_notes(runs: Sequence[Scores]) -> list[str]:
    """Return the sentences on test tiles on ground that the runs have seen in training, each once."""
    return list(dict.fromkeys(note for run in runs for note in run.ground))


def is_finished(runs: Sequence[Scores], method: str) -> bool:
    """Tell whether a run of a method is a finished row that was taken instead of trained."""
    return any(run.finished for run in runs if run.method == method)


def finished_note(runs: Sequence[Scores]) -> str:
    """Return the finished rows among some runs as a sentence; empty without any."""
    seeds: dict[tuple[str, str], list[str]] = {}
    for run in runs:
        if run.finished:
            seeds.setdefault((run.finished, run.method), []).append(str(run.seed))
    origins: dict[str, list[str]] = {}
    for (origin, method), numbers in seeds.items():
        origins.setdefault(origin, []).append(f"{method} (seeds {', '.join(numbers)})")
    parts = [f"{', '.join(names)} from {origin}" for origin, names in origins.items()]
    return f"{MARK} Not trained here, but taken as finished rows: {'; '.join(parts)}." if parts else ""

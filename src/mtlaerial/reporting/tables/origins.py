"""Notes on where the rows of a table come from: the recipes of their trainings."""

from collections.abc import Sequence

from mtlaerial.scoring.scores import Scores


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

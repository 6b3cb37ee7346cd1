"""Settings of the trainings and predictions of a data set: what most methods have, and where methods differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mtlaerial.reporting.tables.marks import first_recipes, recipe_value, usual_recipe
from mtlaerial.reporting.tables.panels import Cell, Panel
from mtlaerial.reporting.tables.readings.comparisons import listed
from mtlaerial.reporting.tables.values import Values

LONGEST = 120
"""Letters of a value; the rest of it is in ``run.yaml``."""


@dataclass(frozen=True)
class Settings:
    """Settings of a data set's methods.

    Attributes
    ----------
    usual : sequence of (key, value)
        What most methods have.
    differences : Panel or None
        A row per key in which methods differ; None where none does.
    sentence : str
        Which methods differ.
    """

    usual: Sequence[tuple[str, str]]
    differences: Panel | None
    sentence: str


def settings_of(values: Values) -> Settings:
    """Return the settings of the methods whose recipe is known."""
    recipes = first_recipes(values.runs)
    usual = usual_recipe(list(recipes.values()))
    others = {key: _others(key, usual[key], recipes) for key in usual}
    differing = {key: groups for key, groups in others.items() if groups}
    rows = [_row(key, usual[key], groups) for key, groups in differing.items()]
    methods = dict.fromkeys(name for groups in differing.values() for names in groups.values() for name in names)
    reading = f"Rows differ in {_number(len(rows), 'key')}; unlike most: {listed(methods)}."
    panel = Panel(
        key=f"{values.dataset}-differences",
        dataset=values.dataset,
        title=values.title(),
        subject="differences between rows",
        details="Keys of network, training and prediction that decide results, and are not alike in all rows.",
        header=("key", "most rows", "other rows"),
        rows=tuple(rows),
        notes=(),
        reading=reading,
    )
    same = "All rows have the same settings, but for tasks and weighting." if usual else "The settings are not known."
    return Settings(
        [(key, _short(usual[key])) for key in sorted(usual)], panel if rows else None, reading if rows else same
    )


def _others(key: str, usual: Any, recipes: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the methods with another value of a key than most, by value."""
    groups: dict[str, list[str]] = {}
    for method, recipe in recipes.items():
        if recipe.get(key, usual) != usual:
            groups.setdefault(_short(recipe[key]), []).append(method)
    return groups


def _row(key: str, usual: Any, groups: Mapping[str, Sequence[str]]) -> tuple[Cell, ...]:
    others = "; ".join(f"{value}: {', '.join(methods)}" for value, methods in groups.items())
    return Cell(key), Cell(_short(usual)), Cell(others)


def _short(value: Any) -> str:
    text = recipe_value(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _number(count: int, noun: str) -> str:
    return f"one {noun}" if count == 1 else f"{count} {noun}s"

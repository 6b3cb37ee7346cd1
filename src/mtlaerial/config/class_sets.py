"""Sets of classes that are scored as one class each."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from mtlaerial.config.faults import Unfit

SetName = Annotated[str, Field(min_length=1, max_length=64)]
ClassSets = dict[SetName, Annotated[tuple[str, ...], Field(min_length=1)]]
"""Classes by the name of their set."""


def require_sets(sets: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse a single set, which everything would be of, and a class in two sets.

    Raises
    ------
    Unfit
    """
    if len(sets) == 1:
        raise Unfit("class_sets", f"the set {next(iter(sets))} alone", "at least two sets, or none", "Add another.")
    first: dict[str, str] = {}
    for name, classes in sets.items():
        for entry in classes:
            if entry in first:
                places = name if first[entry] == name else f"{first[entry]} and {name}"
                raise Unfit("class_sets", f"{entry} twice, in {places}", "each class in one set at most", "Remove one.")
            first[entry] = name

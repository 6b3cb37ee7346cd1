"""Mixtures of rows that are not directly comparable: other versions, code, test tiles or classes."""

from collections.abc import Callable, Sequence

from mtlaerial.scoring.scores import Scores

LISTED = 8
"""Test tiles or classes that a warning names."""


def mixtures(runs: Sequence[Scores]) -> list[str]:
    """Return warnings on runs of one data set that are not directly comparable.

    Parameters
    ----------
    runs : sequence of Scores
        All runs on one data set.

    Returns
    -------
    list of str
        A sentence for each of package version, code, scoring code, test tiles and classes that differs between runs.
    """
    properties: dict[str, Callable[[Scores], str | None]] = {
        "versions of mtlaerial": lambda run: run.mtlaerial,
        # Imported weights come from another stage, whose hash differs from that of trainings.
        "code (hashes of the modules that train)": lambda run: None if run.weighting == "unknown" else run.code,
        "scoring code (hashes of the modules that score)": lambda run: run.scoring_code or None,
        "test tiles": lambda run: ", ".join(sorted(run.tiles)),
        "classes": lambda run: ", ".join(run.classes),
    }
    warnings = []
    for name, value_of in properties.items():
        run_names: dict[str, list[str]] = {}
        for run in runs:
            if (value := value_of(run)) is not None:
                run_names.setdefault(value, []).append(f"{run.method} seed {run.seed}")
        if len(run_names) > 1:
            groups = "; ".join(f"{_short_list(key)}: {', '.join(names)}" for key, names in sorted(run_names.items()))
            warnings.append(f"The rows mix different {name}. {groups}")
    return warnings


def _short_list(text: str) -> str:
    """Return a list separated by commas with its first names alone, and how many follow."""
    names = text.split(", ")
    more = len(names) - LISTED
    return text if more <= 0 else f"{', '.join(names[:LISTED])} and {more} more"

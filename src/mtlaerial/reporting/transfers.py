"""Rows of runs that were trained on other data sets, beside those of the runs on the tested one."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtlaerial.reporting.folds import Evaluation, pool_folds
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.scores_file import load_scores

RESAMPLED = "resampled.json"
"""Beside the maps: metres per pixel of the training, and of each tile whose image was resampled to them."""


@dataclass(frozen=True)
class Transfers:
    """What the tables of the tested data sets are made of.

    Attributes
    ----------
    scores : sequence of Scores
        Of the tested data sets' own runs, then of those of other data sets.
    notes : mapping of data set to sequence of str
        Sentences for below the tables.
    margins : mapping of data set to float
        Effects that do not matter in the comparisons.
    """

    scores: Sequence[Scores] = ()
    notes: Mapping[str, Sequence[str]] | None = None
    margins: Mapping[str, float] | None = None


def read_transfers(
    own: Iterable[Path], transferred: Iterable[Path], maps: Iterable[Path], tested: Mapping[str, Mapping[str, Any]]
) -> Transfers:
    """Read the scores of the runs on the tested data sets, and of the runs of others on them.

    Parameters
    ----------
    own : iterable of Path
        Score files of the tested data sets' own runs.
    transferred, maps : iterable of Path
        Score files of the other runs, and the folder of maps of each.
    tested : mapping of data set to mapping
        ``protocol``, ``margin`` and ``notes`` of each tested data set.

    Raises
    ------
    DataError
        When a file cannot be read, or runs differ in their test tiles.
    """
    others = list(map(load_scores, transferred))
    records = [json.loads((folder / RESAMPLED).read_text(encoding="utf-8")) for folder in maps]
    rows = list(zip(others, records, strict=True))
    notes: dict[str, list[str]] = {}
    for name, dataset in tested.items():
        of_dataset = [(run.method, record) for run, record in rows if run.dataset == name]
        notes[name] = [*dataset["notes"], *resampling_notes(of_dataset)]
    evaluations = {name: Evaluation(folds=[], protocol=dataset["protocol"]) for name, dataset in tested.items()}
    pooled = pool_folds([*map(load_scores, own), *others], evaluations)
    return Transfers(pooled, notes, {name: dataset["margin"] for name, dataset in tested.items()})


def resampling_notes(records: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Return a sentence for each row whose images were resampled.

    Parameters
    ----------
    records : iterable of (str, mapping)
        The row's name, and the content of its ``resampled.json``.
    """
    notes = []
    for row, record in records:
        if record["tiles"]:
            low, high = (f"{side(record['tiles'].values()):.3g}" for side in (min, max))
            size = low if low == high else f"{low} to {high}"
            tiles = f"{len(record['tiles'])} test tile{'s' if len(record['tiles']) > 1 else ''}"
            grids = f"resampled to the {record['trained']:.3g} m of its training, and its maps to the grid of the truth"
            notes.append(f"{row}: images of {tiles} with pixels of {size} m were {grids}.")
    return list(dict.fromkeys(notes))

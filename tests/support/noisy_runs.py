"""Runs of methods of some quality, with noise of seeds and tiles, and their table of weightings."""

from collections.abc import Sequence

import numpy as np

from mtlaerial.reporting.tables import build_documents
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.tile_scores import TileScores
from support.sample_scores import run

SEEDS = range(5)
NOISE = {"seeds": 0.02, "tiles": 0.02}
"""Deviations of the quality of runs, and of that of tiles within a run."""


def scored(quality: float) -> TileScores:
    """Make a tile of 20,000 pixels in two classes and of 10,000 heights; higher quality is better in both tasks."""
    hits = round(7000 * (1 + quality))
    absolute = 20_000.0 * (1 - quality)
    return TileScores(
        confusion=((hits, 10_000 - hits, 0), (2000, 8000, 0)),
        height={"all": {"overall": (10_000.0, 0.0, absolute, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)}},
    )


def trained(
    method: str,
    gain: float,
    random: np.random.Generator,
    seeds: Sequence[int] = SEEDS,
    tiles: int = 8,
    **changes: object,
) -> list[Scores]:
    """Make the runs of a method that is better by a gain, with noise."""
    runs = []
    for seed in seeds:
        luck = gain + random.normal(0, NOISE["seeds"])
        runs.append(
            run(method, seed, [scored(luck + random.normal(0, NOISE["tiles"])) for _ in range(tiles)], **changes)
        )
    return runs


def experiment(
    gains: dict[str, float], seeds: Sequence[int] = SEEDS, generator: int = 0, tiles: int = 8
) -> list[Scores]:
    random = np.random.default_rng(generator)
    weightings = {"fixed_2": "fixed", "equal": "equal", "again": "equal"}
    return [
        entry
        for method, gain in gains.items()
        for entry in trained(method, gain, random, seeds, tiles, weighting=weightings.get(method, "gradnorm"))
    ]


def document(runs: Sequence[Scores], **more: object):
    return next(entry for entry in build_documents(runs, **more) if entry.stem == "town_weightings")


def notes(panel) -> str:
    return " ".join(note.text for note in panel.notes)


def row(panel, method: str) -> dict[str, str]:
    cells = next(cells for cells in panel.rows if cells[0].text == method)
    return dict(zip(panel.header, [cell.text for cell in cells], strict=True))

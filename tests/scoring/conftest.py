"""Maps of a run with errors, and their scores."""

from pathlib import Path

import numpy as np
import pytest

from mtlaerial.scoring.run_scores import score_run
from mtlaerial.scoring.scores import Scores
from support.scored_maps import SCORING, Run, truth
from support.tiny import Folders


@pytest.fixture
def chosen(tiles: Folders) -> list[Path]:
    return [*tiles["test"], *tiles["val"]]


@pytest.fixture
def run(run_folder: Path, chosen: list[Path], tmp_path: Path) -> Run:
    written, random = Run(tmp_path, run_folder), np.random.default_rng(0)
    for tile in chosen:
        labels, height = truth(tile, "labels"), truth(tile, "height")
        wrong = random.integers(0, 6, labels.shape, np.uint8)
        written.write(tile, "semantics", np.where(random.random(labels.shape) < 0.7, labels.clip(max=5), wrong))
        noise = random.normal(0.3, 2, height.shape)
        written.write(tile, "height", (np.nan_to_num(height) + noise).astype(np.float32))
    return written


@pytest.fixture
def scores(run: Run, chosen: list[Path]) -> Scores:
    return score_run(run.folder, chosen, SCORING)

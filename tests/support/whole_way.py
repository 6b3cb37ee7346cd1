"""The whole way of a data set in one process: prepare, train, predict, score."""

from pathlib import Path

from mtlaerial.config import PredictionSpec, ScoringSpec
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.runs.run import save_description
from mtlaerial.scoring.run_scores import score_run
from mtlaerial.scoring.scores import Scores
from mtlaerial.tiles.measure import summarise
from mtlaerial.tiles.prepare import prepare_tile
from mtlaerial.training.train import train
from support import tiny


def trained_and_scored(dataset: Dataset, folder: Path) -> Scores:
    """Train both tasks jointly on the training tiles; return the scores of the test tiles."""
    training = [folder / "tiles" / tile for tile in dataset.spec.splits["train"]]
    test = [folder / "tiles" / tile for tile in dataset.spec.splits["test"]]
    for path in (*training, *test):
        prepare_tile(dataset, path.name, path)
    run, plan, statistics = folder / "run", tiny.run_plan(epochs=1), summarise(dataset, training)
    train(tiny.job(plan, statistics, training, [], run))
    save_description(run, plan, statistics)
    Predictor(run, PredictionSpec(window=160, stride=160)).predict_tiles(test, run / "maps")
    return score_run(run, test, ScoringSpec())

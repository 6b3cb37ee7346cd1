"""The recipe: the sections of the configuration that a data set or a method may change."""

from mtlaerial.config.base import Section
from mtlaerial.config.prediction import PredictionSpec
from mtlaerial.config.scoring import ScoringSpec
from mtlaerial.config.training import TrainingSpec


class Recipe(Section):
    """The sections a data set or a method may override, in force for one of each."""

    training: TrainingSpec = TrainingSpec()
    prediction: PredictionSpec = PredictionSpec()
    scoring: ScoringSpec = ScoringSpec()

"""The configuration: pydantic models, and the only readers of YAML."""

from mtlaerial.config.augmentation import Augmentation
from mtlaerial.config.base import Section, merge
from mtlaerial.config.dashboard import DashboardSpec
from mtlaerial.config.dataset import DatasetSpec, load_dataset
from mtlaerial.config.dataset_entry import DatasetEntry
from mtlaerial.config.figures import VectorFormat
from mtlaerial.config.file_kinds import read_configuration
from mtlaerial.config.generation import Generation, NoiseSpec
from mtlaerial.config.layers import (
    IGNORED,
    LAYERS,
    PREPARED_LAYERS,
    SPLITS,
    ClassSpec,
    HeightSpec,
    ImageSpec,
    LabelsSpec,
    Layer,
    Split,
)
from mtlaerial.config.method import MethodSpec
from mtlaerial.config.model import D3NetSpec, EncoderDecoderSpec, ModelSpec, NetworkSpec, PackagedSpec
from mtlaerial.config.prediction import Blend, PredictionSpec
from mtlaerial.config.project import ProjectConfig, load_project, parse_project
from mtlaerial.config.recipe import Recipe
from mtlaerial.config.scoring import ScoringSpec
from mtlaerial.config.task_entry import TaskEntry
from mtlaerial.config.tasks import TASKS, Task, task_entry
from mtlaerial.config.training import TrainingSpec
from mtlaerial.config.weighting import WeightingSpec
from mtlaerial.config.yaml_reader import read_yaml, typed_scalars

__all__ = [
    "IGNORED",
    "LAYERS",
    "PREPARED_LAYERS",
    "SPLITS",
    "TASKS",
    "Augmentation",
    "Blend",
    "ClassSpec",
    "D3NetSpec",
    "DashboardSpec",
    "DatasetEntry",
    "DatasetSpec",
    "EncoderDecoderSpec",
    "Generation",
    "HeightSpec",
    "ImageSpec",
    "LabelsSpec",
    "Layer",
    "MethodSpec",
    "ModelSpec",
    "NetworkSpec",
    "NoiseSpec",
    "PackagedSpec",
    "PredictionSpec",
    "ProjectConfig",
    "Recipe",
    "ScoringSpec",
    "Section",
    "Split",
    "Task",
    "TaskEntry",
    "TrainingSpec",
    "VectorFormat",
    "WeightingSpec",
    "load_dataset",
    "load_project",
    "merge",
    "parse_project",
    "read_configuration",
    "read_yaml",
    "task_entry",
    "typed_scalars",
]

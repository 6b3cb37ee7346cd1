"""The whole configuration: data sets, methods and seeds to run, and their recipe."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from mtlaerial.config.base import Section
from mtlaerial.config.calibration import CalibrationSpec
from mtlaerial.config.configuration_files import DEFAULT, merged_configuration
from mtlaerial.config.dashboard import DashboardSpec
from mtlaerial.config.dataset_entry import DatasetEntry
from mtlaerial.config.ensemble import join_members, only_predicts
from mtlaerial.config.faults import Unfit
from mtlaerial.config.figures import FiguresSpec
from mtlaerial.config.label_efficiency import require_tasks_of_curves
from mtlaerial.config.loggers import Logger
from mtlaerial.config.mapping import MapSpec
from mtlaerial.config.method import MethodSpec, Name, require_model, retrained, take_over, with_model
from mtlaerial.config.model import ModelSpec
from mtlaerial.config.names import PlainPath, require_names, require_once
from mtlaerial.config.objects import ObjectsSpec
from mtlaerial.config.prediction import PredictionSpec
from mtlaerial.config.recipe import Recipe
from mtlaerial.config.recipe_overlay import Overlay
from mtlaerial.config.recipes_of_methods import require_known_keys
from mtlaerial.config.require import require_described_start, require_other_names, require_other_tables
from mtlaerial.config.run_spec import RunSpec
from mtlaerial.config.scoring import ScoringSpec
from mtlaerial.config.sources import PretrainedSpec
from mtlaerial.config.training import TrainingSpec

NOT_DATASETS = {
    "tables", "figures", "logs", "benchmarks", "pretrained", "report.html", "report_files", "everything", "scores",
    "dashboard", "map", "transfer",
}  # fmt: skip
"""Names of other files and folders among the results, or among the tables."""
NOT_METHODS = {
    "constant", "published", "tiles.png", "tiles.svg", "tiles.pdf",
    "label_efficiency.png", "label_efficiency.svg", "label_efficiency.pdf",
    "tradeoff.png", "tradeoff.svg", "tradeoff.pdf",
}  # fmt: skip
"""Names of other rows of the tables, and of other files among a data set's figures."""


class ProjectConfig(Section):
    """The configuration of the workflow."""

    run: RunSpec
    """Selection of what runs."""
    recipe_overlay: Annotated[Overlay | None, Field(alias="recipe")] = None
    """Name of a recipe in the folder ``recipes`` beside the first file; its keys apply just before those of the file
    that names it."""
    results: PlainPath = Path("results")
    """Folder of all outputs of the workflow."""
    resume: PlainPath | None = None
    """Folder for the states of unfinished trainings; by default each lies beside its run."""
    finished: PlainPath | None = None
    """Folder of finished rows: scores that are taken instead of training their runs, where all their keys are those of
    this configuration. The target ``rows`` writes them. None for none."""
    dashboard: DashboardSpec | None = None
    """Live display of trainings; none by default."""
    loggers: tuple[Logger, ...] = ()
    """Loggers of trainings, by name: tensorboard, or those that other packages register. None by default."""
    calibration: CalibrationSpec | None = None
    """Calibration of the runs on the validation tiles; none by default."""
    map: MapSpec | None = None
    """Region that the target ``map`` maps by a trained run; none by default."""
    objects: ObjectsSpec | None = None
    """Objects of the test tiles' maps, as polygons with heights; none by default."""
    figures: FiguresSpec = FiguresSpec()
    """Formats of the figures."""
    datasets: dict[Name, DatasetEntry]
    """Data sets by name."""
    models: dict[Name, ModelSpec]
    """Networks by name."""
    model: Name | None = None
    """The network, from ``models``, of every method that names none."""
    methods: dict[Name, MethodSpec]
    """Methods by name: the rows of the tables."""
    pretrained: dict[Name, PretrainedSpec] = {}
    """Published weights that models may begin with."""
    training: TrainingSpec = TrainingSpec()
    """Recipe of trainings."""
    prediction: PredictionSpec = PredictionSpec()
    """Recipe of predictions."""
    scoring: ScoringSpec = ScoringSpec()
    """Recipe of scores."""

    @model_validator(mode="before")
    @classmethod
    def _taken_over(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and isinstance(data.get("methods"), Mapping):
            methods = take_over(join_members(data["methods"]))
            return {**data, "methods": with_model(methods, data.get("model"))}
        return data

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        require_once("loggers", self.loggers)
        require_names("run.datasets", self.run.datasets, self.datasets)
        require_other_tables(self.run.datasets)
        require_names("run.methods", self.run.methods, self.methods)
        require_model(self.methods)
        require_tasks_of_curves(
            self.run.label_efficiency, {name: method.tasks for name, method in self.methods.items()}
        )
        require_names("model", filter(None, (self.model,)), self.models)
        for name, entry in self.datasets.items():
            require_names(f"datasets.{name}.methods", entry.methods or (), self.methods)
            require_once(f"datasets.{name}.methods", entry.methods or ())
            self._require_overrides(f"datasets.{name}.overrides", entry)
        for name, method in self.methods.items():
            require_names(f"methods.{name}.model", (method.model,), self.models)
        require_other_names(self.pretrained)
        for name, model in self.models.items():
            require_described_start(f"models.{name}.pretrained", model, self.pretrained)
        for key, taken, names in (("datasets", NOT_DATASETS, self.datasets), ("methods", NOT_METHODS, self.methods)):
            if clashing := sorted(taken.intersection(names)):
                expected = f"{key} without the name {clashing[0]}, which something else among the results has"
                raise Unfit(key, clashing[0], expected, "Choose another name.")
        return self

    def _require_overrides(self, key: str, entry: DatasetEntry) -> None:
        """Refuse overrides of methods that are not described, and trainings of methods that are not trained."""
        require_names(key, entry.overrides, self.methods)
        for name, values in entry.overrides.items():
            trained = self.methods[name].trained_as
            if trained and "training" in values:
                raise retrained(f"{key}.{name}", ["training"], trained)
            if self.methods[name].ensemble and "training" in values:
                raise only_predicts(f"{key}.{name}", "the key training")

    def selected(self, dataset: str) -> tuple[str, ...]:
        """Return the methods that are selected for a data set, whether or not it has ground truth for them."""
        return self.datasets[dataset].methods or self.run.methods

    def members(self, method: str) -> tuple[str, ...]:
        """Return the methods whose networks make a method's maps: the members of an ensemble, else itself."""
        ensemble = self.methods[method].ensemble
        return ensemble.members if ensemble else (method,)

    def seeds(self, method: str) -> tuple[int, ...]:
        """Return the seeds of a method's runs: the first one alone of an ensemble of all seeds."""
        ensemble = self.methods[method].ensemble
        return self.run.seeds[:1] if ensemble and ensemble.seeds == "all" else self.run.seeds


def load_project(*paths: Path, recipe: str | None = None, settings: Mapping[str, Any] | None = None) -> ProjectConfig:
    """Read the configuration from a YAML file and any number of overlays; the last wins.

    Parameters
    ----------
    *paths : Path
        The files, as :func:`mtlaerial.config.configuration_files.configuration_files` finds and completes them.
    recipe : str, optional
        Name of a recipe whose keys apply after all files; see :func:`mtlaerial.config.recipe_overlay.merge_files`.
    settings : mapping, optional
        Keys of the option ``--set``, which win over all files and the recipe.

    Raises
    ------
    ConfigError
        For anything unknown or wrong in it.
    """
    places = [*map(str, paths or (DEFAULT,)), *(["--set"] if settings else [])]
    return parse_project(merged_configuration(paths, recipe, settings), " + ".join(places))


def parse_project(data: Mapping[str, Any], where: str = "configuration") -> ProjectConfig:
    """Validate a configuration, overrides included.

    Raises
    ------
    ConfigError
        For anything unknown or wrong in it.
    """
    config = ProjectConfig.parse(data, where)
    keys = [field.alias or name for name, field in ProjectConfig.model_fields.items()]
    require_known_keys(config.methods, keys)
    for name, method in config.methods.items():
        Recipe.parse(method.overrides, f"methods.{name}.overrides")
    for name, entry in config.datasets.items():
        Recipe.parse(entry.recipe, f"datasets.{name}.recipe")
        for method_name, values in entry.overrides.items():
            Recipe.parse(values, f"datasets.{name}.overrides.{method_name}")
    return config

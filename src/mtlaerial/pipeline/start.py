"""The weights that a training begins with: their file, and what the configuration says of their origin."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mtlaerial.config import ProjectConfig
from mtlaerial.config.sources import PretrainedSpec
from mtlaerial.config.start import SHIPPED
from mtlaerial.errors import ConfigError, DownloadError, UserError
from mtlaerial.pipeline.pretrained import fetch_pretrained, is_fetched, published_place
from mtlaerial.runs.ensemble_file import ensemble_in_place_of_run
from mtlaerial.runs.run import load_description
from mtlaerial.runs.shipped import shipped_run
from mtlaerial.runs.start import StartRecord, is_run, published_start
from mtlaerial.runs.weights import DESCRIPTION, WEIGHTS


@dataclass(frozen=True)
class Start:
    """The weights that a training begins with.

    Attributes
    ----------
    path : Path
        The file that the training reads, or the folder of a run.
    record : StartRecord, optional
        Their origin; None where only the file tells it.
    published : PretrainedSpec, optional
        Where they are fetched from; None of files that are there.
    shipped : bool
        Whether it is a run that comes with the package.
    """

    path: Path
    record: StartRecord | None = None
    published: PretrainedSpec | None = None
    shipped: bool = False

    @property
    def inputs(self) -> list[Path]:
        """The files that a workflow's training waits for; a shipped run is part of the package."""
        if self.shipped:
            return []
        return [self.path / WEIGHTS, self.path / DESCRIPTION] if is_run(self.path) else [self.path]

    def fetch(self) -> None:
        """Fetch the weights if they are published ones that are not there yet, or not as they are described now.

        Raises
        ------
        DownloadError, DataError
            When the file cannot be had, or is another one.
        """
        if self.published and self.record and not is_fetched(self.published, self.path):
            fetch_pretrained(self.record.name, self.published, self.path)


def resolve_start(config: ProjectConfig, model: str, folder: Path) -> Start | None:
    """Return the weights that trainings of a model begin with; None for random ones.

    Parameters
    ----------
    config : ProjectConfig
    model : str
        The model's name in the configuration.
    folder : Path
        Folder of fetched weights.
    """
    spec = config.models[model].start
    if spec is None:
        return None
    if spec.source in config.pretrained:
        published = config.pretrained[spec.source]
        record = published_start(spec.source, published, spec.parts)
        return Start(folder / f"{spec.source}.safetensors", record, published)
    if spec.source in SHIPPED:
        return Start(shipped_run(spec.source), shipped=True)
    return Start(Path(spec.source))


def require_start(
    config: ProjectConfig, model: str, folder: Path, planned: Callable[[Path], bool] = lambda run: False
) -> None:
    """Refuse initial weights whose file is missing, or in a package that is not installed; nothing is fetched.

    Parameters
    ----------
    config, model, folder
        As of :func:`resolve_start`.
    planned : callable
        Tells whether the run of a folder is going to be trained first.

    Raises
    ------
    ConfigError, DataError
        It says what to install, or where the file was looked for; of a run, what is missing or damaged.
    """
    start, key = resolve_start(config, model, folder), f"models.{model}.pretrained"
    if start and is_run(start.path):
        if not planned(start.path):
            _require_run(key, start.path)
        return
    if start and start.published is None and start.path.with_name(DESCRIPTION).exists():
        problem, folder = f"{start.path}, a file of a run", start.path.parent
        raise ConfigError(key, problem, "the run's folder, or weights of an encoder", f"Write source: {folder}/.")
    if start is None or start.path.exists():
        return
    if start.published is None:
        raise ConfigError(key, f"{start.path}, which does not exist", "a file of weights", "Correct the path.")
    assert start.record is not None
    try:
        place = published_place(start.record.name, start.published)
    except DownloadError as error:
        problem = f"{start.record.name}, which is in a package that is not installed"
        raise ConfigError(key, problem, error.expected, error.remedy) from None
    if "://" not in place and not Path(place).exists():
        problem = f"{start.record.name}, whose file {place} does not exist"
        raise ConfigError(key, problem, "the published file, or none", f"Correct pretrained.{start.record.name}.")


def _require_run(key: str, folder: Path) -> None:
    """Refuse a folder that holds no trained run, a damaged one, or an ensemble."""
    try:
        members = load_description(folder).members
        if members:
            raise ensemble_in_place_of_run(folder, list(map(str, members)), "to begin with")
    except UserError as error:
        raise type(error)(f"{key}: {error.where}", error.found, error.expected, error.remedy) from None

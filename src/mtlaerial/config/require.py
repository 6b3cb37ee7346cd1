"""Requirements between sections of the configuration: sizes, overlaps, dropout, tasks, initial weights."""

from collections.abc import Mapping, Sequence

from mtlaerial.config.dataset import DatasetSpec
from mtlaerial.config.encoder import same_encoder
from mtlaerial.config.faults import Unfit, did_you_mean
from mtlaerial.config.model import D3NetSpec, NetworkSpec
from mtlaerial.config.prediction import PredictionSpec
from mtlaerial.config.sources import PretrainedSpec
from mtlaerial.config.start import NO_WEIGHTS, SHIPPED, WEIGHT_FILES
from mtlaerial.config.tasks import Task
from mtlaerial.errors import ConfigError

TABLES = (
    "by_height",
    "height_by_class",
    "weightings",
    "uncertainty",
    "objects",
    "steps",
    "label_efficiency",
)
"""Endings of the names of a data set's tables."""


def require_multiple(key: str, size: int, model: NetworkSpec) -> None:
    """Refuse a size in pixels that does not fit a network.

    Raises
    ------
    ConfigError
        When it is not a multiple of the model's.
    """
    if size % model.multiple:
        expected = f"a multiple of {model.multiple}, as the model's reduction is {model.reduction}"
        raise ConfigError(key, str(size), expected, "Correct either.")


def require_dropout(key: str, passes: int, model: NetworkSpec) -> None:
    """Refuse dropout passes for a network without dropout: all passes would be equal.

    Raises
    ------
    ConfigError
        When there are passes but no dropout.
    """
    if passes and not model.dropout:
        expected = "0, as the model's dropout is 0"
        raise ConfigError(key, str(passes), expected, "Or train a network with dropout, e.g. 0.5.")


def require_checkpointing(key: str, checkpointing: bool, model: NetworkSpec) -> None:
    """Refuse activation checkpointing for a network without stages that it applies to: memory would stay the same.

    Raises
    ------
    ConfigError
        When it is on and the network is known to have none.
    """
    if checkpointing and not model.checkpoints:
        expected = "false, as no stage of the model can be checkpointed: D3Net and the encoder densenet121 have some"
        raise ConfigError(key, "true", expected, "Save memory with training.accumulate.")


def require_overlap(key: str, prediction: PredictionSpec) -> None:
    """Refuse windows with gaps between them.

    Raises
    ------
    ConfigError
        When the stride is larger than the window.
    """
    if prediction.stride > prediction.window:
        expected = f"a stride of at most the window ({prediction.window})"
        raise ConfigError(key, f"the stride {prediction.stride}", expected, "Correct either.")


def require_tasks(method: str, tasks: tuple[Task, ...], spec: DatasetSpec, dataset: str) -> tuple[Task, ...]:
    """Return the tasks of a method that a data set has ground truth for.

    Raises
    ------
    ConfigError
        When it has none for any of them.
    """
    learned = tuple(filter(spec.has_truth, tasks))
    if not learned:
        raise ConfigError(
            f"methods.{method}.tasks",
            f"{', '.join(tasks)}",
            f"a task that {dataset} has layers for ({', '.join(spec.tasks)})",
            "Choose a method that learns one of these.",
        )
    return learned


def require_described_start(key: str, model: NetworkSpec, pretrained: Mapping[str, PretrainedSpec]) -> None:
    """Refuse initial weights that are not described, or are of another encoder than the model's, or of other sizes.

    Raises
    ------
    Unfit
    """
    start = model.start
    if start is None or start.is_path or start.source in SHIPPED:
        return
    if start.source not in pretrained:
        listed = ", ".join((NO_WEIGHTS, *pretrained, *SHIPPED))
        paths = f"or a file or the folder of a run, which have a slash or end in {', '.join(WEIGHT_FILES)}"
        remedy = did_you_mean(start.source, (*pretrained, *SHIPPED), "Describe it in pretrained, or correct the name.")
        raise Unfit(key, repr(start.source), f"one of {listed}, {paths}", remedy)
    encoder = pretrained[start.source].encoder
    if model.encoder_name and not same_encoder(encoder, model.encoder_name):
        fitting = [name for name, spec in pretrained.items() if same_encoder(spec.encoder, model.encoder_name)]
        remedy = f"Write {' or '.join(fitting)}." if fitting else f"Choose the encoder {encoder}, or write none."
        expected = f"weights of the model's encoder, {model.encoder_name}"
        raise Unfit(key, f"{start.source}, weights of {encoder}", expected, remedy)
    if start.parts != "encoder":
        expected = "encoder, as published weights are those of an encoder"
        raise Unfit(f"{key}.parts", start.parts, expected, "Correct it.")
    sizes = model.published_sizes() if isinstance(model, D3NetSpec) else {}
    if any(getattr(model, name) != size for name, size in sizes.items()):
        listed = ", ".join(f"{name} {size}" for name, size in sizes.items())
        expected = f"none, the folder of a run, or an encoder of the published sizes ({listed})"
        raise Unfit(key, f"{start.source} with other sizes", expected)


def require_other_names(pretrained: Mapping[str, PretrainedSpec]) -> None:
    """Refuse published weights with the name of a shipped run.

    Raises
    ------
    Unfit
    """
    for name in SHIPPED:
        if name in pretrained:
            expected = "a name that no run has that mtlaerial ships"
            raise Unfit(f"pretrained.{name}", name, expected, "Choose another name.")


def require_other_tables(datasets: Sequence[str]) -> None:
    """Refuse a data set with the name of a table of another one: its table would take that one's place.

    Raises
    ------
    Unfit
    """
    for name in datasets:
        for ending in TABLES:
            if f"{name}_{ending}" in datasets:
                expected = f"a data set without the name of a table of {name}"
                raise Unfit("run.datasets", f"{name}_{ending}", expected, "Choose another name.")

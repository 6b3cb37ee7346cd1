"""The stages of the workflow that each key of the configuration decides.

A stage is named after its rule. A change of a key repeats the jobs of its stages, and then those that read their files.
``params`` of the rules are derived from this table, and so is the fingerprint of a training.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any, Literal

from mtlaerial.config.base import Section

Stage = Literal[
    "synthesise",
    "unpack_archive",
    "fetch_pretrained",
    "check_tile",
    "prepare_tile",
    "summarise_tiles",
    "train",
    "describe_run",
    "predict",
    "score",
    "tables",
    "layout_figure",
    "figures",
    "report",
]
"""The rules whose results depend on the configuration."""
Stages = tuple[Stage, ...]

NOTHING: Stages = ()
"""For keys that only choose jobs, files and folders, or that no result depends on."""
TILE: Stages = ("check_tile", "prepare_tile")
TRAINING: Stages = ("train", "describe_run")
MEASURED: Stages = ("summarise_tiles", *TRAINING)
"""For keys that are used with the prepared training tiles."""
REPORTING: Stages = ("tables", "report")

STAGES: dict[str, Stages] = {
    # The configuration; * stands for a name. `recipe` and `overrides` decide what the keys in them decide.
    "run.datasets": REPORTING,
    "run.methods": NOTHING,
    "run.seeds": NOTHING,
    "results": NOTHING,
    "resume": NOTHING,
    "dashboard.url": NOTHING,
    "dashboard.seconds": NOTHING,
    "dashboard.samples": NOTHING,
    "datasets.*.spec": ("synthesise",),
    "datasets.*.root": TILE,
    "datasets.*.generate.seed": ("synthesise",),
    "datasets.*.generate.size": ("synthesise",),
    "datasets.*.generate.vary": ("synthesise",),
    "datasets.*.generate.ground_truth_gsd": ("synthesise",),
    "datasets.*.hold_out": (*TILE, "layout_figure"),
    "datasets.*.recipe": NOTHING,
    "models.*.name": TRAINING,
    "models.*.stem": TRAINING,
    "models.*.growth": TRAINING,
    "models.*.blocks": TRAINING,
    "models.*.bottleneck": TRAINING,
    "models.*.shared": TRAINING,
    "models.*.head": TRAINING,
    "models.*.reduction": TRAINING,
    "models.*.skips": TRAINING,
    "models.*.dropout": TRAINING,
    "models.*.pretrained": TRAINING,
    "methods.*.trained_as": ("describe_run",),
    "methods.*.tasks": TRAINING,
    "methods.*.weighting": TRAINING,
    "methods.*.model": TRAINING,
    "methods.*.overrides": NOTHING,
    "pretrained.*.url": NOTHING,
    "pretrained.*.sha256": ("fetch_pretrained",),
    "pretrained.*.file": NOTHING,
    "training.patch": TRAINING,
    "training.batch": TRAINING,
    "training.accumulate": TRAINING,
    "training.epochs": TRAINING,
    "training.epoch_patches": TRAINING,
    "training.learning_rate": TRAINING,
    "training.betas": TRAINING,
    "training.weight_decay": TRAINING,
    "training.clip_norm": TRAINING,
    "training.schedule": TRAINING,
    "training.sampling": TRAINING,
    "training.augmentation.flip": TRAINING,
    "training.augmentation.quarter_turns": TRAINING,
    "training.augmentation.rotation": TRAINING,
    "training.augmentation.zoom": TRAINING,
    "training.augmentation.colour": TRAINING,
    "training.augmentation.image_resampling": TRAINING,
    "training.class_weights": TRAINING,
    "training.height_loss": TRAINING,
    "training.height_mean": TRAINING,
    "training.height_unit": TRAINING,
    "training.selection": TRAINING,
    "training.validate_every": TRAINING,
    "training.log_every": TRAINING,
    "training.compile": TRAINING,
    "training.checkpointing": TRAINING,
    "training.precision": TRAINING,
    "training.channels_last": TRAINING,
    "training.accelerator": TRAINING,
    "training.threads": TRAINING,
    "training.memory_budget_mb": NOTHING,
    "prediction.blend": ("predict",),
    "prediction.window": ("predict",),
    "prediction.stride": ("predict",),
    "prediction.activation": ("predict",),
    "prediction.batch": ("predict",),
    "prediction.views": ("predict",),
    "prediction.dropout_passes": ("predict",),
    "prediction.image_maps": ("predict",),
    "scoring.height_bins": ("score",),
    "scoring.error_unit": ("score",),
    # The specification of a data set. Archives and folders only say where files are.
    "title": ("describe_run", "layout_figure", "report"),
    "licence": ("describe_run", "report"),
    "citation": ("describe_run", "report"),
    "obtain": ("report",),
    "generated": (*TILE, "describe_run", "layout_figure", "report"),
    "gsd": (*TILE, *MEASURED, "layout_figure"),
    "crs": TILE,
    "folders": NOTHING,
    "archives.file": NOTHING,
    "archives.page": NOTHING,
    "archives.holds": NOTHING,
    "archives.into": ("unpack_archive",),
    "archives.md5": NOTHING,
    "archives.sha256": NOTHING,
    "archives.optional": NOTHING,
    "image.files": TILE,
    "image.bands": TILE,
    "image.band_names": (*TILE, "describe_run"),
    "image.range": (*TILE, *MEASURED),
    "image.nodata": TILE,
    "image.corner": TILE,
    "height.files": TILE,
    "height.surface": TILE,
    "height.ground": TILE,
    "height.scale": TILE,
    "height.offset": TILE,
    "height.valid_range": TILE,
    "height.nodata": TILE,
    "height.nodata_above": TILE,
    "height.zero_height": (*TILE, *MEASURED),
    "height.optional": TILE,
    "height.obtain": NOTHING,
    "labels.files": TILE,
    "labels.encoding": TILE,
    "labels.classes.name": ("describe_run",),
    "labels.classes.colour": ("describe_run",),
    "labels.classes.values": TILE,
    "labels.ignore": TILE,
    "labels.optional": TILE,
    "labels.obtain": NOTHING,
    "labels.eroded.files": TILE,
    "labels.eroded.ignore": TILE,
    "grid.size": TILE,
    "grid.name": TILE,
    "footprints.files": TILE,
    "footprints.column": TILE,
    "splits": ("synthesise", *TILE, "predict", "score", "layout_figure", "figures"),
    "recipe": NOTHING,
    "published.name": REPORTING,
    "published.source": REPORTING,
    "published.url": REPORTING,
    "published.scores": REPORTING,
    "published.error_unit": REPORTING,
    "published.labels": REPORTING,
    "published.heights": REPORTING,
    "published.pooling": REPORTING,
    "published.split": REPORTING,
    "published.notes": REPORTING,
}


def decisive(stage: Stage, section: Section, key: str = "") -> dict[str, Any]:
    """Return the part of a section that decides a stage, as plain data.

    Parameters
    ----------
    stage : Stage
    section : Section
    key : str
        The section's key in the table; empty for the specification of a data set.

    Raises
    ------
    KeyError
        For a key of the section that the table lacks.
    """
    part = _part(stage, section.model_dump(mode="json"), key)
    return part if isinstance(part, dict) else {}


def indecisive(stage: Stage, names: Iterable[str], key: str = "") -> set[str]:
    """Return those of some names that are keys of the configuration, but do not decide a stage."""
    keys = {name: _joined(key, name) for name in names}
    return {name for name, full in keys.items() if full in STAGES and stage not in STAGES[full]}


_LEFT_OUT = object()


def _part(stage: Stage, value: Any, key: str) -> Any:
    """Return the part of a value that decides a stage, or ``_LEFT_OUT``."""
    if not _decides(stage, key):
        return _LEFT_OUT
    if key in STAGES or value is None:
        return value
    if isinstance(value, list):
        return [_part(stage, item, key) for item in value]
    parts = {name: _part(stage, item, _joined(key, name)) for name, item in value.items()}
    return {name: part for name, part in parts.items() if part is not _LEFT_OUT}


@cache
def _decides(stage: Stage, key: str) -> bool:
    """Tell whether a key or, of a section, one of its keys decides a stage."""
    below = [stages for name, stages in STAGES.items() if name == key or name.startswith(_joined(key, ""))]
    if not below:
        raise KeyError(f"{key}: name the stages that this key decides in {__name__}.STAGES")
    return any(stage in stages for stages in below)


def _joined(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name

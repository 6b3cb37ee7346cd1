"""Settings of a prediction: those by which a run is scored, with the changes that a user asks for."""

import logging
import os
from pathlib import Path
from typing import Any

from mtlaerial.config import Blend, PredictionSpec
from mtlaerial.config.faults import did_you_mean
from mtlaerial.config.prediction import VIEWS, HeightEncoding, View, views_text
from mtlaerial.config.require import require_dropout, require_multiple, require_overlap
from mtlaerial.config.unseen_views import unseen_views
from mtlaerial.errors import ConfigError
from mtlaerial.runs.run import RunDescription, read_description

log = logging.getLogger(__name__)
_NOT_SCORED = {"image_maps", "height_encoding", "negative_heights"}
"""Keys that change no scored map."""


def prediction_for(
    run: Path,
    window: int | None = None,
    stride: int | None = None,
    dropout_passes: int | None = None,
    blend: Blend | None = None,
    views: str | None = None,
    height_encoding: HeightEncoding | None = None,
    negative_heights: bool | None = None,
) -> PredictionSpec:
    """Return the prediction by which a run is scored, with the given changes; log each of them.

    Parameters
    ----------
    run : Path
        The run's folder.
    window, stride : int, optional
        Pixels; a stride that is not given stays the same share of the window.
    dropout_passes : int, optional
    blend : Blend, optional
        Other windows than the run's: ``even`` for those with least work, ``original`` for those of the original's code.
    views : str, optional
        Names of views, separated by commas, or ``none``.
    height_encoding : HeightEncoding, optional
        How heights are stored.
    negative_heights : bool, optional
        Keep heights below 0.

    Raises
    ------
    ConfigError
        When the window's size does not suit the network, the stride is larger than the window, passes with dropout are
        asked of a network without dropout, or no view has a name.
    """
    description = read_description(run)
    base = _base(description.plan.prediction, blend)
    size = window or base.window
    passes = base.dropout_passes if dropout_passes is None else dropout_passes
    for network in description.networks:
        require_multiple("--window", size, network.plan.model)
        require_dropout("--dropout-passes", passes, network.plan.model)
    proportional = size * base.stride // base.window
    changes: dict[str, Any] = {
        "window": size,
        "stride": stride or proportional,
        "dropout_passes": passes,
        "image_maps": False,
    }
    if views is not None:
        changes["views"] = _named_views(views)
    storage = {"height_encoding": height_encoding, "negative_heights": negative_heights}
    changes |= {key: value for key, value in storage.items() if value is not None}
    prediction = PredictionSpec.parse({**base.model_dump(), **changes}, "--window, --stride and --dropout-passes")
    require_overlap("--window, --stride", prediction)
    _log_changes(description.plan.prediction, prediction)
    return prediction


def scored_prediction(configured: PredictionSpec, blend: Blend | None, recipe: PredictionSpec) -> PredictionSpec:
    """Return the prediction by which a run is to be scored.

    Parameters
    ----------
    configured : PredictionSpec
        That of the run, which is returned without a blend.
    blend : Blend, optional
        ``original`` for the protocol of the original's code: the windows of the data set's recipe, and a sigmoid before
        blending. ``even`` for fitted windows.
    recipe : PredictionSpec
        That of the data set's recipe.
    """
    if blend != "original":
        return _base(configured, blend)
    windows = recipe if recipe.blend == blend else PredictionSpec()
    changes = {"blend": blend, "window": windows.window, "stride": windows.stride, "activation": "sigmoid", "views": ()}
    return configured.model_copy(update=changes)


def usable_threads(threads: int) -> int:
    """Return a run's number of threads, at most the machine's cores; warn where that is fewer."""
    cores = os.cpu_count() or 1
    if threads > cores:
        log.warning(
            "the run computes with %d threads, and this machine has %d cores: maps may differ from those of another "
            "machine by rounding",
            *(threads, cores),
        )
    return min(threads, cores)


def unseen_by_run(prediction: PredictionSpec, description: RunDescription) -> list[str]:
    """Return the views of a prediction that a training of the run's networks did not see."""
    return [
        view
        for network in description.networks
        for view in unseen_views(prediction.views, None if network.imported else network.plan.training.augmentation)
    ]


def _named_views(text: str) -> list[View]:
    """Return the views that an option names, separated by commas; none of ``none``."""
    names = [] if text.strip() in ("", "none") else [name.strip() for name in text.split(",")]
    for name in names:
        if name not in VIEWS or names.count(name) > 1:
            expected = f"none, or some of {', '.join(VIEWS)}, each once, separated by commas"
            raise ConfigError("--views", repr(name), expected, did_you_mean(name, VIEWS, "Correct it."))
    return [view for view in VIEWS if view in names]


def _base(configured: PredictionSpec, blend: Blend | None) -> PredictionSpec:
    if blend is None or blend == configured.blend:
        return configured
    windows = PredictionSpec.fitted() if blend == "even" else PredictionSpec()
    changes = {key: getattr(windows, key) for key in ("blend", "window", "stride")}
    return configured.model_copy(update=changes)


def _log_changes(configured: PredictionSpec, prediction: PredictionSpec) -> None:
    before, after = configured.model_dump(exclude=_NOT_SCORED), prediction.model_dump(exclude=_NOT_SCORED)
    for values in (before, after):
        values["views"] = views_text(values["views"])
    changes = [f"{key} {after[key]} instead of {before[key]}" for key in after if after[key] != before[key]]
    if changes:
        log.info("predicting otherwise than the run was scored: %s", ", ".join(changes))

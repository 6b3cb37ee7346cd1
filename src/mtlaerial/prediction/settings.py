"""Settings of a prediction: those by which a run is scored, with the changes that a user asks for."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mtlaerial.config import Blend, PredictionSpec
from mtlaerial.config.engines import require_engine
from mtlaerial.config.faults import did_you_mean
from mtlaerial.config.option_faults import named_by_options
from mtlaerial.config.prediction import CLASS_LAYERS, SPREAD_SOURCES, VIEWS, HeightEncoding, views_text
from mtlaerial.config.predictors import require_predictor
from mtlaerial.config.require import require_dropout, require_multiple, require_overlap
from mtlaerial.config.unseen_views import unseen_views
from mtlaerial.errors import ConfigError
from mtlaerial.prediction.applied_calibration import require_interval
from mtlaerial.runs.run import RunDescription, read_description

log = logging.getLogger(__name__)
_NOT_SCORED = {"image_maps", "height_encoding", "negative_heights", "spread", "layers", "interval"}
"""Keys that change no scored map."""
_OPTIONS = ("window", "stride", "dropout_passes", "interval", "device", "threads", "batch", "precision", "engine")
"""Keys that options of the command stand for, by their names."""


def prediction_for(
    run: Path,
    window: int | None = None,
    stride: int | None = None,
    dropout_passes: int | None = None,
    blend: Blend | None = None,
    views: str | None = None,
    height_encoding: HeightEncoding | None = None,
    negative_heights: bool | None = None,
    spread: str | None = None,
    layers: str | None = None,
    interval: float | None = None,
    compute: Mapping[str, Any] | None = None,
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
    spread, layers : str, optional
        Sources of the spread of heights, and further layers of classes, separated by commas, or ``none``.
    interval : float, optional
        Level in per cent of the intervals whose bounds are written.
    compute : mapping, optional
        The keys ``device``, ``threads``, ``batch``, ``precision`` and ``engine``; None in them for the run's.

    Raises
    ------
    ConfigError
        When the run has no calibration by which the interval can be told for these settings.
        When the window's size does not suit the network, the stride is larger than the window, passes with dropout are
        asked of a network without dropout, the networks cannot serve the spread or a layer, the engine is not installed
        or cannot serve the prediction, or nothing has a name that is given.
    """
    description = read_description(run)
    base = description.plan.prediction.blended(blend)
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
    options = {"views": (views, VIEWS), "spread": (spread, SPREAD_SOURCES), "layers": (layers, CLASS_LAYERS)}
    changes |= {key: _named(f"--{key}", text, names) for key, (text, names) in options.items() if text is not None}
    others = {"height_encoding": height_encoding, "negative_heights": negative_heights, "interval": interval}
    others |= compute or {}
    changes |= {key: value for key, value in others.items() if value is not None}
    with named_by_options(*_OPTIONS):
        prediction = PredictionSpec.parse({**base.model_dump(), **changes}, "predict")
    require_overlap("--window, --stride", prediction)
    require_predictor("--", prediction, [network.learner for network in description.networks])
    require_engine("--", prediction, [network.plan.training.precision for network in description.networks])
    if interval is not None:
        require_interval(run, description, prediction)
    _log_changes(description.plan.prediction, prediction)
    return prediction


def scored_prediction(configured: PredictionSpec, blend: Blend | None, recipe: PredictionSpec) -> PredictionSpec:
    """Return the prediction by which a run is to be scored.

    Parameters
    ----------
    configured : PredictionSpec
        That of the run, which is returned without a blend.
    blend : Blend, optional
        ``original`` for the protocol of the original's code: the windows of the data set's recipe, a sigmoid before
        blending, no views, and the default spread and layers. ``even`` for fitted windows.
    recipe : PredictionSpec
        That of the data set's recipe.
    """
    if blend != "original":
        return configured.blended(blend)
    windows = recipe if recipe.blend == blend else PredictionSpec()
    changes = {"blend": blend, "window": windows.window, "stride": windows.stride, "activation": "sigmoid"}
    return configured.model_copy(update={**changes, "views": (), "spread": None, "layers": ()})


def unseen_by_run(prediction: PredictionSpec, description: RunDescription) -> list[str]:
    """Return the views of a prediction that a training of the run's networks did not see."""
    return [
        view
        for network in description.networks
        for view in unseen_views(prediction.views, None if network.imported else network.plan.training.augmentation)
    ]


def _named(option: str, text: str, choices: Sequence[str]) -> list[str]:
    """Return the names that an option gives, separated by commas; none of ``none``."""
    names = [] if text.strip() in ("", "none") else [name.strip() for name in text.split(",")]
    for name in names:
        if name not in choices or names.count(name) > 1:
            expected = f"none, or some of {', '.join(choices)}, each once, separated by commas"
            raise ConfigError(option, repr(name), expected, did_you_mean(name, choices, "Correct it."))
    return names


def _log_changes(configured: PredictionSpec, prediction: PredictionSpec) -> None:
    keys = [key for key in PredictionSpec.model_fields if key not in _NOT_SCORED]
    before, after = ({key: getattr(spec, key) for key in keys} for spec in (configured, prediction))
    for values in (before, after):
        values["views"] = views_text(values["views"])
    changes = [
        f"{key} {_shown(after[key])} instead of {_shown(before[key])}" for key in keys if after[key] != before[key]
    ]
    if changes:
        log.info("predicting otherwise than the run was scored: %s", ", ".join(changes))


def _shown(value: object) -> object:
    return "none stated" if value is None else value

"""Weights of a trained run for a network that is to be fine-tuned."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtlaerial.config import task_entry
from mtlaerial.errors import ConfigError
from mtlaerial.runs.plan import RunPlan
from mtlaerial.runs.run import RunDescription, load_description, load_network
from mtlaerial.runs.start import StartRecord
from mtlaerial.tiles.statistics import Statistics

if TYPE_CHECKING:
    from mtlaerial.models import Network
    from mtlaerial.models.transfer import Tensors

log = logging.getLogger(__name__)
SHOWN = 3
"""Most differing keys that a message names."""
_INDIFFERENT = ("pretrained", "initialisation", "dropout")
_BEYOND = {
    "encoder": ("decoder", "shared", "skips", "head", "context"),
    "trunk": ("decoder.head", "decoder.exchange", "head"),
    "all": (),
}
"""Keys of a model, by the parts that take weights, that decide other parts alone."""


def transfer_run(folder: Path, network: "Network", plan: RunPlan, statistics: Statistics) -> None:
    """Copy the weights of a run into a network, in place; an error leaves the network unchanged.

    Bands are matched by name (:func:`mtlaerial.models.bands.adapt_kernels`), and classes too: a class that the run does
    not have keeps its random weights in the last convolution. Where the unit of heights differs, the last convolution
    of the heights is multiplied, so that the network gives the same metres.

    Parameters
    ----------
    folder : Path
        Of the run.
    network : Network
    plan : RunPlan
        Of the new training; ``model.pretrained`` says which parts take weights.
    statistics : Statistics
        Of the new training's tiles.

    Raises
    ------
    ConfigError
        When the run lacks a task, a band or a layer, or its network has other sizes.
    DataError
        When the run is damaged.
    """
    import torch

    from mtlaerial.models.transfer import for_bands, tensors_of

    start = plan.model.start
    assert start is not None
    description = load_description(folder)
    if start.parts == "all":
        _require_tasks(folder, description, plan)
    source = load_network(folder, description, torch.device("cpu"))
    tensors = tensors_of(source, start.parts, plan.tasks)
    known, bands = [band.name for band in description.statistics.bands], [band.name for band in statistics.bands]
    tensors = for_bands(tensors, source, known, bands, start.new_bands)
    drawn = tensors_of(network, start.parts, plan.tasks)
    if start.parts == "all":
        tensors = _heads(tensors, drawn, description, plan, statistics)
    _require_fitting(folder, tensors, drawn, _differences(description, plan))
    for name, tensor in drawn.items():
        tensor.copy_(tensors[name])
    _log(folder, description, plan, statistics)


def require_transferable(folder: Path, plan: RunPlan, bands: Sequence[str]) -> None:
    """Refuse a run that lacks a task or a band of a new training, before tiles are prepared for it.

    Raises
    ------
    ConfigError, DataError
        As of :func:`transfer_run`.
    """
    from mtlaerial.models.bands import band_sources

    start, description = plan.model.start, load_description(folder)
    assert start is not None
    if start.parts == "all":
        _require_tasks(folder, description, plan)
    band_sources([band.name for band in description.statistics.bands], bands, start.new_bands)


def run_start(description: RunDescription, parts: str) -> StartRecord:
    """Return the record of a run whose weights another training begins with."""
    return StartRecord(
        kind="run",
        name=description.name,
        parts=parts,
        sha256=description.sha256,
        licence=description.statistics.licence,
        trained_on=description.statistics.title,
        start=description.start,
    )


def decisive_facts(description: RunDescription) -> dict[str, Any]:
    """Return what decides the weights that another training takes from a run: not its titles."""
    statistics = description.statistics
    return {
        "sha256": description.sha256,
        "bands": [band.name for band in statistics.bands],
        "classes": _classes(statistics),
        "height_unit": description.plan.training.height_unit,
    }


def _require_tasks(folder: Path, description: RunDescription, plan: RunPlan) -> None:
    missing = [task for task in plan.tasks if task not in description.plan.tasks]
    if missing:
        observed = f"a run of {', '.join(description.plan.tasks)}"
        remedy = "Write pretrained.parts: trunk, so that the heads begin with random weights, or choose another run."
        raise ConfigError(folder, observed, f"one with weights for {missing[0]}, as parts is all", remedy)


def _heads(
    tensors: "Tensors", drawn: "Tensors", description: RunDescription, plan: RunPlan, statistics: Statistics
) -> "Tensors":
    from mtlaerial.models.transfer import for_classes, in_unit

    factor = description.plan.training.height_unit / plan.training.height_unit
    adapted = dict(tensors)
    for task in plan.tasks:
        head = {name: tensor for name, tensor in tensors.items() if name.startswith(f"heads.{task}.")}
        if task_entry(task).output == "classes":
            adapted |= for_classes(head, drawn, _classes(description.statistics), _classes(statistics))
        else:
            adapted |= in_unit(head, factor)
    return adapted


def _require_fitting(folder: Path, tensors: "Tensors", drawn: "Tensors", differences: list[str]) -> None:
    shapes = [{name: tuple(tensor.shape) for name, tensor in part.items()} for part in (tensors, drawn)]
    misfits = [name for name in {**shapes[0], **shapes[1]} if shapes[0].get(name) != shapes[1].get(name)]
    if not misfits:
        return
    name = misfits[0]
    sizes = [" x ".join(map(str, part[name])) if name in part else "no such tensor" for part in shapes]
    remedy = "Take the run's network for the model, or fewer parts of it (pretrained.parts)."
    if differences:
        remedy = f"The networks differ in {', '.join(differences)}. {remedy}"
    raise ConfigError(f"{folder}, {name}", sizes[0] or "a number", f"{sizes[1]}, as in the model", remedy)


def _differences(description: RunDescription, plan: RunPlan) -> list[str]:
    """Return the keys in which the networks differ, as far as they decide the parts that take weights."""
    assert plan.model.start
    left_out = (*_INDIFFERENT, *_BEYOND[plan.model.start.parts])
    before, now = (_flat(model.model_dump(mode="json")) for model in (description.plan.model, plan.model))
    keys = [key for key in {**before, **now} if before.get(key) != now.get(key) and not _below(key, left_out)]
    more = [f"{len(keys) - SHOWN} more keys"] if len(keys) > SHOWN else []
    return [*(f"{key} ({before.get(key)} in the run, here {now.get(key)})" for key in keys[:SHOWN]), *more]


def _below(key: str, sections: tuple[str, ...]) -> bool:
    return any(key == section or key.startswith(f"{section}.") for section in sections)


def _flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the values of nested mappings by dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in data.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def _classes(statistics: Statistics) -> list[str]:
    return [entry.name for entry in statistics.classes]


def _log(folder: Path, description: RunDescription, plan: RunPlan, statistics: Statistics) -> None:
    """Log what is taken from the run, and in which ways the new training differs."""
    assert plan.model.start
    parts = plan.model.start.parts
    log.info("%s: weights of %s (%s), trained on %s", folder, description.name, parts, description.statistics.title)
    if differences := _differences(description, plan):
        log.warning("%s: its network differs in %s; the weights fit all the same", folder, ", ".join(differences))
    if (gsd := description.statistics.gsd) != statistics.gsd:
        log.info("%s: trained on pixels of %g m, and used here on %g m", folder, gsd, statistics.gsd)
    if parts != "all":
        return
    outputs = {task_entry(task).output for task in plan.tasks}
    if "classes" in outputs:
        known, classes = _classes(description.statistics), _classes(statistics)
        taken = ", ".join(name for name in classes if name in known) or "none"
        random = ", ".join(name for name in classes if name not in known) or "none"
        log.info("%s: classes with weights of the run: %s; with random weights: %s", folder, taken, random)
    units = description.plan.training.height_unit, plan.training.height_unit
    if "values" in outputs and units[0] != units[1]:
        log.info("%s: heights in units of %g m, rescaled to the %g m of this training", folder, *units)

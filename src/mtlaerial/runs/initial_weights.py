"""Weights of a trained run for a network that is to be fine-tuned."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtlaerial.config import task_entry
from mtlaerial.runs.head_match import head_meaning, require_same_heights, unit_factor
from mtlaerial.runs.initial_weights_check import network_differences, require_same_shapes, require_tasks
from mtlaerial.runs.loading import load_network
from mtlaerial.runs.plan import RunPlan
from mtlaerial.runs.run import RunDescription, load_description
from mtlaerial.runs.start import StartRecord
from mtlaerial.tiles.statistics import Statistics

if TYPE_CHECKING:
    from mtlaerial.models import Network
    from mtlaerial.models.adapted_weights import Tensors

log = logging.getLogger(__name__)


def load_initial_weights(folder: Path, network: "Network", plan: RunPlan, statistics: Statistics) -> None:
    """Copy the weights of a run into a network, in place; an error leaves the network unchanged.

    Bands are matched by name (:func:`mtlaerial.models.bands.adapt_kernels`), and classes too: a class that the run does
    not have keeps its random weights in the last convolution. Where the unit of heights differs, the last convolution
    of a linear head is multiplied, so that the network gives the same metres, and bins are the same metres as they are.

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
        When the run lacks a task, a band or a layer, its network has other sizes, or its height head another meaning.
    DataError
        When the run is damaged.
    """
    import torch

    from mtlaerial.models.adapted_weights import for_bands, tensors_of, with_scaling

    start = plan.model.start
    assert start is not None
    description = load_description(folder)
    if start.parts == "all":
        require_tasks(folder, description.plan, plan)
        require_same_heights(folder, description.plan, plan)
    source = load_network(folder, description, torch.device("cpu"))
    tensors = tensors_of(source, start.parts, plan.tasks)
    run_bands, bands = ([band.name for band in each.bands] for each in (description.statistics, statistics))
    tensors = for_bands(tensors, source, run_bands, bands, start.new_bands)
    drawn = tensors_of(network, start.parts, plan.tasks)
    tensors = with_scaling(tensors, drawn)
    if start.parts == "all":
        tensors = _heads(tensors, drawn, description, plan, statistics)
    require_same_shapes(folder, tensors, drawn, network_differences(description.plan, plan))
    for name, tensor in drawn.items():
        tensor.copy_(tensors[name])
    _log(folder, description, plan, statistics)


def run_start(description: RunDescription, parts: str) -> StartRecord:
    """Return the record of a run whose weights another training begins with."""
    return StartRecord(
        kind="run",
        name=description.name,
        parts=parts,
        sha256=description.sha256,
        licence=description.statistics.licence,
        trained_on=description.statistics.title,
        ground=description.ground,
        start=description.start,
    )


def decisive_facts(description: RunDescription) -> dict[str, Any]:
    """Return what decides the weights that another training takes from a run: not its titles."""
    statistics = description.statistics
    return {
        "sha256": description.sha256,
        "bands": [band.name for band in statistics.bands],
        "classes": _classes(statistics),
        "height": head_meaning(description.plan.training),
    }


def _heads(
    tensors: "Tensors", drawn: "Tensors", description: RunDescription, plan: RunPlan, statistics: Statistics
) -> "Tensors":
    from mtlaerial.models.adapted_weights import for_classes, in_unit

    factor = unit_factor(description.plan.training, plan.training)
    adapted = dict(tensors)
    for task in plan.tasks:
        head = {name: tensor for name, tensor in tensors.items() if name.startswith(f"heads.{task}.")}
        if task_entry(task).output == "classes":
            adapted |= for_classes(head, drawn, _classes(description.statistics), _classes(statistics))
        else:
            adapted |= in_unit(head, factor)
    return adapted


def _classes(statistics: Statistics) -> list[str]:
    return [entry.name for entry in statistics.classes]


def _log(folder: Path, description: RunDescription, plan: RunPlan, statistics: Statistics) -> None:
    """Log what is taken from the run, and in which ways the new training differs."""
    assert plan.model.start
    parts = plan.model.start.parts
    log.info("%s: weights of %s (%s), trained on %s", folder, description.name, parts, description.statistics.title)
    if differences := network_differences(description.plan, plan):
        log.warning("%s: its network differs in %s; the weights fit all the same", folder, ", ".join(differences))
    if (gsd := description.statistics.gsd) != statistics.gsd:
        log.info("%s: trained on pixels of %g m, and used here on %g m", folder, gsd, statistics.gsd)
    if parts != "all":
        return
    outputs = {task_entry(task).output for task in plan.tasks}
    if "classes" in outputs:
        run_classes, classes = _classes(description.statistics), _classes(statistics)
        taken = ", ".join(name for name in classes if name in run_classes) or "none"
        random = ", ".join(name for name in classes if name not in run_classes) or "none"
        log.info("%s: classes with weights of the run: %s; with random weights: %s", folder, taken, random)
    units = description.plan.training.height_unit, plan.training.height_unit
    if "values" in outputs and unit_factor(description.plan.training, plan.training) != 1:
        log.info("%s: heights in units of %g m, rescaled to the %g m of this training", folder, *units)

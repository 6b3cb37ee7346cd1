"""Check of whether a network can take the weights of a run, before anything is prepared or trained for it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from mtlaerial.config import EncoderDecoderSpec, Section
from mtlaerial.errors import ConfigError
from mtlaerial.runs.head_match import require_same_heights
from mtlaerial.runs.plan import RunPlan

if TYPE_CHECKING:
    from mtlaerial.models import Network
    from mtlaerial.models.adapted_weights import Tensors

SHOWN = 3
"""Most differing keys that a message names."""
BANDS = 3
"""Of networks that are compared: their first convolutions may differ in the bands."""
_INDIFFERENT = ("pretrained", "initialisation", "dropout")
_BEYOND = {
    "encoder": ("decoder", "shared", "skips", "head", "context"),
    "trunk": ("decoder.head", "decoder.exchange", "head"),
    "all": (),
}
"""Keys of a model, by the parts that take weights, that decide other parts alone."""


def require_usable_weights(
    folder: Path, source: RunPlan, source_bands: Sequence[str], plan: RunPlan, bands: Sequence[str]
) -> None:
    """Refuse a run that lacks a task or a band of a new training, or whose network has other sizes or other heights.

    Parameters
    ----------
    folder : Path
        Of the run, for messages; the run may still be to be trained.
    source : RunPlan
        Of the run.
    source_bands : sequence of str
        Names of the bands that it is trained on.
    plan : RunPlan
        Of the new training.
    bands : sequence of str
        Names of the bands of its image.

    Raises
    ------
    ConfigError
    """
    import torch

    from mtlaerial.models.adapted_weights import tensors_of, with_scaling
    from mtlaerial.models.bands import band_sources

    start = plan.model.start
    assert start is not None
    if start.parts == "all":
        require_tasks(folder, source, plan)
        require_same_heights(folder, source, plan)
    band_sources(source_bands, bands, start.new_bands)
    with torch.device("meta"):  # shapes without memory
        tensors, drawn = (tensors_of(_small_network(each), start.parts, plan.tasks) for each in (source, plan))
    require_same_shapes(folder, with_scaling(tensors, drawn), drawn, network_differences(source, plan))


def require_tasks(folder: Path, source: RunPlan, plan: RunPlan) -> None:
    """Refuse a run that lacks a task whose head is to take its weights, or whose heads take features of others.

    Raises
    ------
    ConfigError
    """
    remedy = "Write pretrained.parts: trunk, so that the heads begin with random weights, or choose another run."
    missing = [task for task in plan.tasks if task not in source.tasks]
    if missing:
        observed = f"a run of {', '.join(source.tasks)}"
        raise ConfigError(folder, observed, f"one with weights for {missing[0]}, as parts is all", remedy)
    further = [task for task in source.tasks if task not in plan.tasks]
    if further and isinstance(source.model, EncoderDecoderSpec) and source.model.decoder.exchange != "none":
        observed = f"a run whose heads take features of {further[0]}, which is not trained here"
        raise ConfigError(folder, observed, f"one of {', '.join(plan.tasks)} alone, as parts is all", remedy)


def require_same_shapes(folder: Path, tensors: "Tensors", drawn: "Tensors", differences: Sequence[str]) -> None:
    """Refuse tensors of a run of other names or shapes than those that are to take them.

    Raises
    ------
    ConfigError
        It names the first such tensor, and the keys in which the networks differ.
    """
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


def network_differences(source: RunPlan, plan: RunPlan) -> list[str]:
    """Return the keys in which two networks differ, as far as they decide the parts that take weights."""
    assert plan.model.start
    left_out = (*_INDIFFERENT, *_BEYOND[plan.model.start.parts])
    before, now = (_flat(each.model) for each in (source, plan))
    keys = [key for key in {**before, **now} if before.get(key) != now.get(key) and not _below(key, left_out)]
    more = [f"{len(keys) - SHOWN} more keys"] if len(keys) > SHOWN else []
    return [*(f"{key} ({before.get(key)} in the run, here {now.get(key)})" for key in keys[:SHOWN]), *more]


def _small_network(plan: RunPlan) -> "Network":
    """Return the network of a plan with one channel per task: classes are matched by name, whatever their number."""
    from mtlaerial.models import build_model

    return build_model(plan.model, BANDS, dict.fromkeys(plan.tasks, 1))


def _below(key: str, sections: tuple[str, ...]) -> bool:
    return any(key == section or key.startswith(f"{section}.") for section in sections)


def _flat(data: Section | Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the values of nested sections by dotted keys, also of keys that plain data leave out at their defaults."""
    flat: dict[str, Any] = {}
    for key, value in dict(data).items():
        if isinstance(value, Section | Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = to_jsonable_python(value)
    return flat

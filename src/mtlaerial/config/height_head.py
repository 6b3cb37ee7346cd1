"""The height head of ``training``: the meaning of a height output's channels, and the losses that it is trained by."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from mtlaerial.config.annotations import tagged
from mtlaerial.config.base import Section
from mtlaerial.config.faults import Unfit, did_you_mean
from mtlaerial.config.numbers import Metres

PlainHead = Literal["linear", "log1p", "laplace", "gaussian"]
"""Heads that their name describes."""
HeightOfBins = Literal["expectation", "median"]
"""The height that a map shows of the probabilities of bins."""
HEADS = ("linear", "log1p", "bins", "laplace", "gaussian")
"""Names of all heads."""
HeightLoss = Literal["l1", "huber", "likelihood"]
LOSSES: dict[str, tuple[HeightLoss, ...]] = {
    "linear": ("l1", "huber"),
    "log1p": ("l1", "huber"),
    "bins": ("likelihood",),
    "laplace": ("likelihood",),
    "gaussian": ("likelihood",),
}
"""Values of ``training.height_loss`` by head."""
HEADS_WITH_SCALE = ("laplace", "gaussian")
"""Heads that say how far heights may be off."""


class BinsSpec(Section):
    """A probability for each of some heights, the bins' centres; labels are soft."""

    name: Literal["bins"] = "bins"
    """The head."""
    count: Annotated[int, Field(ge=2, le=1024)] = 64
    """Bins, each a channel of the output."""
    largest: Metres = 60.0
    """Centre of the last bin in metres; the first one is 0. Heights beyond both are trained as these."""
    spacing: Literal["linear", "log", "mixed"] = "mixed"
    """Distances of the centres: equal, equal in log(1 + metres), or the mean of both."""
    softness: Annotated[float, Field(ge=0.0, le=16.0)] = 1.0
    """Standard deviation in bins of the label, which is spread about the height; 0 for the two bins beside it."""


def _plain(value: Any) -> Any:
    """Return a plain head by its name and bins as a section; refuse other names, and keys of bins for plain heads."""
    if isinstance(value, BinsSpec):
        return value
    section = value if isinstance(value, Mapping) else {"name": value}
    name = section.get("name", "bins")
    if name not in HEADS:
        remedy = did_you_mean(str(name), HEADS, "Correct the name.")
        raise Unfit("", repr(name), f"one of {', '.join(HEADS)}", remedy)
    keys = [str(key) for key in section if key != "name"]
    if name != "bins" and keys:
        raise Unfit(keys[0], "a key of the head bins", f"none, as {name} has no further keys", "Remove it.")
    if "value" in keys:
        expected = "prediction.height_of_bins, as it decides maps and no weights"
        raise Unfit("value", str(section["value"]), expected, "Move it there.")
    return section if name == "bins" else name


HeightHead = Annotated[
    Annotated[PlainHead, Tag(tagged("name"))] | Annotated[BinsSpec, Tag(tagged("bins"))],
    Discriminator(lambda value: tagged("bins" if isinstance(value, Mapping | BinsSpec) else "name")),
    BeforeValidator(
        _plain, json_schema_input_type=Literal["linear", "log1p", "bins", "laplace", "gaussian"] | BinsSpec
    ),
]
"""A head by its name, or the section of ``bins``."""


def head_name(head: HeightHead) -> str:
    """Return the name of a head."""
    return head if isinstance(head, str) else head.name


def height_channels(head: HeightHead) -> int:
    """Return the channels of a height output.

    Examples
    --------
    >>> height_channels("laplace"), height_channels(BinsSpec(count=32))
    (2, 32)
    """
    if isinstance(head, BinsSpec):
        return head.count
    return 2 if head in HEADS_WITH_SCALE else 1


def height_of_bins_moved(data: Any) -> Any:
    """Return a description of a run with the height of bins in its prediction; earlier versions had it in the head.

    Parameters
    ----------
    data : Any
        Plain data with the sections ``training`` and ``prediction``; anything else is returned as it is.
    """
    training = data.get("training") if isinstance(data, Mapping) else None
    if not isinstance(training, Mapping):
        return data
    head = training.get("height_head")
    if not isinstance(head, Mapping) or "value" not in head:
        return data
    bins = {key: value for key, value in head.items() if key != "value"}
    moved = {**data, "training": {**training, "height_head": bins}}
    if isinstance(data.get("prediction"), Mapping):
        moved["prediction"] = {"height_of_bins": head["value"], **data["prediction"]}
    return moved


def require_loss_of_head(head: HeightHead, loss: HeightLoss) -> None:
    """Refuse a loss that a head cannot be trained by.

    Raises
    ------
    Unfit
    """
    name = head_name(head)
    if loss not in LOSSES[name]:
        expected = f"{' or '.join(LOSSES[name])}, with the height_head {name}"
        raise Unfit("height_loss", loss, expected, f"Write height_loss: {LOSSES[name][0]}, or choose another head.")

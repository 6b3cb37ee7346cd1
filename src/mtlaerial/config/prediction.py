"""The section ``prediction``."""

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from mtlaerial.config.base import Section
from mtlaerial.config.faults import Unfit, shown
from mtlaerial.config.height_head import HeightOfBins
from mtlaerial.config.names import require_once
from mtlaerial.config.numbers import Batch, Multiple, Passes, Percent, Pixels, Threads
from mtlaerial.config.precision import Precision

Blend = Literal["original", "even"]
View = Literal["mirror", "turns", "scales"]
HeightEncoding = Literal["centimetres", "lerc", "float32"]
SpreadSource = Literal["samples", "overlap", "head"]
Device = Literal["cpu", "cuda"]
EngineName = Literal["torch", "inductor", "openvino", "onnxruntime"]
ClassLayer = Literal["probabilities", "entropy", "mutual_information"]
VIEWS: tuple[View, ...] = get_args(View)
SPREAD_SOURCES: tuple[SpreadSource, ...] = get_args(SpreadSource)
CLASS_LAYERS: tuple[ClassLayer, ...] = get_args(ClassLayer)
SCALES = (1.0, 0.8, 1.25)
"""Factors by which the view ``scales`` resamples a window."""
_COPIES: dict[View, int] = {"mirror": 2, "turns": 4, "scales": len(SCALES)}
"""Passes of each view; they multiply."""
_NUMBERED: dict[int, tuple[View, ...]] = {1: (), 8: ("mirror", "turns")}
"""Views by the numbers that stood for them in earlier versions."""


def _by_number(value: Any) -> Any:
    """Return the views of an earlier version's number; refuse other numbers, and return anything else as it is."""
    if not isinstance(value, int):
        return value
    if isinstance(value, bool) or value not in _NUMBERED:
        expected = f"a list of some of {', '.join(VIEWS)}"
        raise Unfit("", shown(value), expected, "Write [] for no views; [mirror, turns] is what 8 was.")
    return _NUMBERED[value]


def _ordered(names: Sequence[str]) -> AfterValidator:
    """Return what brings names into their order here, so that the order of a list changes no result."""
    return AfterValidator(lambda values: values and tuple(sorted(values, key=names.index)))


Views = Annotated[tuple[View, ...], BeforeValidator(_by_number), _ordered(VIEWS)]
"""Names of views."""
Spread = Annotated[tuple[SpreadSource, ...] | None, _ordered(SPREAD_SOURCES)]
"""Sources of a spread, or None for the passes with dropout, if there are any."""
ClassLayers = Annotated[tuple[ClassLayer, ...], _ordered(CLASS_LAYERS)]
"""Further layers of classes."""


def _is_torch(engine: EngineName) -> bool:
    return engine == "torch"


class PredictionSpec(Section):
    """Prediction of maps from overlapping windows."""

    blend: Blend = "original"
    """original: the original's square windows, one every stride and a last one at the end, weighted by a Gaussian.
    even: as few windows of equal size as cover the image; each fades into the next across their overlap."""
    window: Multiple = 1024
    """Side of a window in image pixels; for even windows its upper limit."""
    stride: Pixels = 256
    """Distance between windows in image pixels; for even windows its upper limit, so that they overlap by at least
    window - stride."""
    activation: Literal["softmax", "sigmoid"] = "sigmoid"
    """Activation of semantic logits before blending; the original's: sigmoid."""
    batch: Batch | Literal["auto"] = 1
    """Windows that the network is given at once. auto: on a GPU as many as its free memory holds, else one."""
    device: Device | None = None
    """cpu or cuda. Not stated: a GPU if there is one, unless ``training.accelerator`` is cpu."""
    threads: Threads | None = None
    """Torch's threads on the CPU; not stated, those of the training."""
    precision: Precision | None = None
    """Precision of the network's arithmetic; not stated, that of the training."""
    engine: EngineName = Field(default="torch", exclude_if=_is_torch)
    """Program that runs the network; all but torch without passes with dropout. inductor: torch.compile, on a GPU with
    CUDA graphs; a minute or more at the start. openvino, in float32 or bf16, and onnxruntime, in float32: on the CPU, a
    window at a time; they are packages of their own."""
    views: Views = ()
    """Copies of each window that the maps are means over, besides the window itself. mirror: left and right swapped;
    turns: by 90, 180 and 270 degrees; scales: resampled by 0.8 and by 1.25. Together they multiply: mirror and turns
    are eight passes, all three are 24."""
    dropout_passes: Passes = 0
    """Passes of Monte-Carlo dropout, whose mean the height is; 0 for one pass without dropout."""
    spread: Spread = None
    """Sources of ``height_std``, the standard deviation of heights; their variances add up. samples: outputs of a
    window, by passes with dropout, views and the networks of an ensemble. overlap: windows where they overlap; pixels
    that one window alone decides have no deviation then. head: the distribution that the height heads laplace and
    gaussian predict. Not stated: samples where there are ``dropout_passes``, else no such map."""
    layers: ClassLayers = ()
    """Further maps of classes. probabilities: a band per class. entropy: of these, in bits. mutual_information: the
    part of the entropy by which samples disagree."""
    interval: Percent | None = None
    """Level in per cent of the intervals whose bounds ``mtlaerial predict`` writes for a calibrated run, e.g. 90; none
    by default. Maps of a data set's tiles have no bounds."""
    height_of_bins: HeightOfBins = "expectation"
    """The height that maps show of the probabilities of the height head ``bins``: expectation or median. Other heads
    have no choice."""
    image_maps: bool = False
    """Also write maps on the image's grid, besides those on the grid of the ground truth, which are scored."""
    height_encoding: HeightEncoding = "centimetres"
    """How ``mtlaerial predict`` stores heights. centimetres: int16 with a scale, which every program reads. lerc:
    float32 within a centimetre, compressed by LERC. float32: exact. Maps of a data set's tiles are always exact."""
    negative_heights: bool = False
    """Keep heights below 0 in maps of ``mtlaerial predict``; else they are written as 0. Maps of a data set's tiles,
    which are scored, always keep them."""

    @classmethod
    def fitted(cls) -> Self:
        """Return the cheapest settings: few windows fitted to the image, with the smallest sufficient overlap.

        96 pixels are enough for the original's network, as measured in docs/benchmarks.md.
        """
        return cls(blend="even", window=1280, stride=1280 - 96, activation="softmax")

    def blended(self, blend: Blend | None) -> Self:
        """Return these settings with another blend and its windows; themselves without one, or where it is theirs."""
        if blend is None or blend == self.blend:
            return self
        windows = self.fitted() if blend == "even" else type(self)()
        return self.model_copy(update={key: getattr(windows, key) for key in ("blend", "window", "stride")})

    @model_validator(mode="after")
    def _each_name_once(self) -> Self:
        require_once("views", self.views)
        require_once("spread", self.spread or ())
        require_once("layers", self.layers)
        return self

    @model_validator(mode="after")
    def _passes_that_differ(self) -> Self:
        if self.dropout_passes == 1:
            raise Unfit("dropout_passes", "1", "at least 2, which have a deviation, or 0", "Correct the value.")
        return self

    @property
    def spread_sources(self) -> tuple[SpreadSource, ...]:
        """Sources of the spread of values; by default the samples where there are passes with dropout."""
        if self.spread is None:
            return ("samples",) if self.dropout_passes else ()
        return self.spread

    @property
    def samples(self) -> int:
        """Outputs of a window by one network: passes with dropout times views."""
        return max(1, self.dropout_passes) * math.prod(_COPIES[view] for view in self.views)


def views_text(views: Sequence[View]) -> str:
    """Return views as text for the user.

    Examples
    --------
    >>> views_text(("mirror", "scales")), views_text(())
    ('mirror, scales', 'none')
    """
    return ", ".join(views) or "none"

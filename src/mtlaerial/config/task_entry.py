"""The entry of a task in the registry: plain data, by which all rooms know what to do for it."""

import math
from dataclasses import dataclass
from typing import Literal

from mtlaerial.errors import ConfigError

Truth = Literal["labels", "height"]
Output = Literal["classes", "values"]
Activation = Literal["class_scores", "linear"]
Metrics = Literal["classes", "heights"]
Shows = Literal["classes", "mean", "deviation", "lower", "upper", "probabilities", "entropy", "mutual_information"]
_KINDS: dict[Metrics, tuple[Truth, Output, Activation]] = {
    "classes": ("labels", "classes", "class_scores"),
    "heights": ("height", "values", "linear"),
}
"""Layer of the truth, kind of output, and activation that metrics need."""
_OF_CLASSES: dict[Shows, str] = {
    "probabilities": "probability of each class",
    "entropy": "entropy of the class probabilities",
    "mutual_information": "mutual information of class and sample",
}
"""Further maps of classes and their descriptions, in the order of ``prediction.layers``."""
_BOUNDS: dict[Shows, str] = {"lower": "lower bound of", "upper": "upper bound of"}
"""Bounds of values and the beginnings of their descriptions."""


@dataclass(frozen=True)
class Unit:
    """Unit of a task's values in maps and exported networks; scores, tables and figures are in metres.

    Attributes
    ----------
    name : str
        Singular, as in the metadata of GeoTIFFs, e.g. ``metre``.
    metres : float
        Metres per unit.
    """

    name: str
    metres: float = 1.0


@dataclass(frozen=True)
class Derivation:
    """Truth that follows from the values around each cell of a layer, so that it needs no raster of its own.

    It is computed on the layer's own grid: in training on the windows that patches are resampled from, in scoring and
    figures on blocks of the raster.

    Attributes
    ----------
    function : str
        ``module:function``, called with values of shape (windows, rows, columns), a float32 tensor with NaN where not
        known, and with the number of cells that it may look at in each direction; it returns a tensor of the same
        shape, of which the outermost ``cells`` on each side are not used; beyond the raster its edge is repeated. It
        must not depend on directions, as patches are turned and mirrored.
    reach : float
        Metres that it looks at in each direction, rounded to cells, at least one.
    """

    function: str
    reach: float

    def cells(self, cell_area: float) -> int:
        """Return the reach in cells of an area in square metres.

        Examples
        --------
        >>> Derivation("module:function", reach=1.0).cells(0.25)
        2
        """
        return max(1, round(self.reach / math.sqrt(cell_area)))


@dataclass(frozen=True)
class MapLayer:
    """A map that a prediction writes.

    Attributes
    ----------
    name : str
        Name of the file, without suffix.
    shows : Shows
        ``classes``: uint8 codes of the classes, with their colours, and ``IGNORED`` for no-data; the others are float32
        and NaN. ``mean``: values, the mean over samples. ``deviation``: their standard deviation, which is written
        where the prediction asks for a spread. ``lower``, ``upper``: bounds of an interval, for a calibrated run. The
        others are further layers of classes, see :attr:`TaskEntry.possible_maps`.
    description : str
        Description of the file's band.
    """

    name: str
    shows: Shows
    description: str


@dataclass(frozen=True)
class TaskEntry:
    """A task that networks learn.

    Attributes
    ----------
    name : str
        Name in configurations, columns and files.
    truth : Truth
        Layer of the ground truth.
    output : Output
        Channels of the network's output: one per class, or those of ``training.height_head``.
    activation : Activation
        From the network's output to maps: ``class_scores`` is the sigmoid or softmax of ``prediction.activation``,
        ``linear`` the height head's values and the change of units.
    loss : str
        Name of a loss in ``LOSSES`` of :mod:`mtlaerial.training.losses`, or ``module:Class`` of another package.
    metrics : Metrics
        Sums and scores: those of classes, or those of heights in metres.
    maps : tuple of MapLayer
        The first one is scored.
    title : str
        What the map shows, for titles, e.g. ``height``.
    plural : str
        The same in the plural.
    meaning : str
        Meaning of the exported values, as a phrase.
    unit : Unit, optional
        Unit of the values; None for classes.
    derivation : Derivation, optional
        From the values of the layer ``truth`` to the truth of the task, in metres; None where they are the truth.
        The constant prediction beside such a task is 0 m, as nothing of it is measured on the training tiles.

    Raises
    ------
    ConfigError
        When the parts do not fit together.
    """

    name: str
    truth: Truth
    output: Output
    activation: Activation
    loss: str
    metrics: Metrics
    maps: tuple[MapLayer, ...]
    title: str
    plural: str
    meaning: str
    unit: Unit | None = None
    derivation: Derivation | None = None

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            self._refuse(f"the name {self.name!r}", "letters, digits and underscores, as it names modules and columns")
        if self.metrics not in _KINDS:
            self._refuse(f"the metrics {self.metrics!r}", f"one of {', '.join(_KINDS)}")
        kinds = self.truth, self.output, self.activation
        if kinds != _KINDS[self.metrics]:
            expected = f"{', '.join(_KINDS[self.metrics])}, as metrics of {self.metrics} need"
            self._refuse(f"truth, output and activation {', '.join(kinds)}", expected)
        first = "classes" if self.output == "classes" else "mean"
        shown = [layer.shows for layer in self.maps]
        if shown[:1] != [first] or set(shown[1:]) - {"deviation"} or (self.output == "classes" and shown[1:]):
            self._refuse(f"maps that show {', '.join(shown) or 'nothing'}", f"first one that shows {first}")
        if (self.unit is None) != (self.output == "classes"):
            self._refuse(f"the unit {self.unit}", "a unit of values, and none of classes")
        if self.derivation and self.truth != "height":
            self._refuse(f"a derivation from {self.truth}", "one from height, or none")
        if self.derivation and not 0 < self.derivation.reach < math.inf:
            self._refuse(f"a derivation that reaches {self.derivation.reach} m", "a number of metres above 0")

    def _refuse(self, content: str, expected: str) -> None:
        raise ConfigError(f"task {self.name}", content, expected, "Correct the entry in the package that registers it.")

    @property
    def map_name(self) -> str:
        """Name of the file of the map that is scored, without suffix."""
        return self.maps[0].name

    @property
    def deviation(self) -> MapLayer | None:
        """The map of the standard deviation of values; None without one."""
        return next((layer for layer in self.maps if layer.shows == "deviation"), None)

    @property
    def possible_maps(self) -> tuple[MapLayer, ...]:
        """All maps that a prediction may write: those of the entry, of values bounds, of classes further layers.

        Examples
        --------
        >>> from mtlaerial.tasks import SEMANTICS
        >>> [layer.name for layer in SEMANTICS.possible_maps][:2]
        ['semantics', 'semantics_probabilities']
        """
        if self.output != "classes":
            bounded = self.maps[0].description
            bounds = (MapLayer(f"{self.map_name}_{name}", name, f"{text} {bounded}") for name, text in _BOUNDS.items())
            return (*self.maps, *bounds)
        further = (MapLayer(f"{self.map_name}_{shows}", shows, text) for shows, text in _OF_CLASSES.items())
        return (*self.maps, *further)

    @property
    def metres(self) -> float:
        """Metres per unit of the values in maps; 1 for classes."""
        return self.unit.metres if self.unit else 1.0

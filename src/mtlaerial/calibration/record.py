"""Calibration of a run as plain data, which a run can store and a prediction applies."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from mtlaerial.calibration.quantile import units_needed
from mtlaerial.config.base import Section, is_empty
from mtlaerial.config.faults import Unfit
from mtlaerial.config.prediction import PredictionSpec
from mtlaerial.system.file_format import require_format

FORMAT = 2
Level = Annotated[float, Field(gt=0, lt=1)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class ClassCalibration(Section):
    """Temperature of class probabilities: p ∝ p^(1 / temperature)."""

    temperature: PositiveFloat
    """Above 1 the probabilities become less certain."""
    cells: PositiveInt
    """Calibration cells that it was fitted on."""
    pixels: PositiveInt
    """Pixels with a class that it was fitted on."""
    likelihood_before: Finite
    """Mean negative log-likelihood of the true classes in nats, at temperature 1."""
    likelihood_after: Finite
    """The same at the fitted temperature."""
    notes: tuple[str, ...] = ()


class ErrorScale(Section):
    """Divisor of height errors: the predictor's standard deviation plus an offset; 1 without one."""

    kind: Literal["deviation", "none"]
    offset: NonNegative = 0.0
    """Metres that are added to the deviation."""
    unknown: NonNegative = 0.0
    """Divisor in metres where the predictor has no deviation."""
    cells: NonNegativeInt = 0
    """Calibration cells that chose the scale; they are behind no factor."""

    @model_validator(mode="after")
    def _nowhere_zero(self) -> Self:
        for key in ("offset", "unknown"):
            if self.kind == "deviation" and not getattr(self, key):
                raise Unfit(key, "0", "a positive number, as errors are divided by it", "Calibrate again.")
        return self


class HeightCalibration(Section):
    """Half-widths of height intervals: a factor per bin of predicted height and level, times the scale."""

    scale: ErrorScale
    edges: tuple[Finite, ...]
    """Inner edges in metres of the bins of predicted height; a height on an edge is in the bin above it."""
    levels: tuple[Level, ...]
    """Levels of the intervals, ascending; those with too few calibration cells are left out."""
    factors: tuple[tuple[NonNegative, ...], ...]
    """Per bin and level; metres without a scale."""
    units: tuple[tuple[NonNegativeInt, ...], ...]
    """Calibration cells behind each factor, per bin and level: of bins that share one, the cells of all of them."""
    cell_side: PositiveFloat
    """Side in metres of the shortest calibration cells."""
    correlation_length: PositiveFloat | None = None
    """Metres, of the residuals on the calibration tiles; None where it was not measured, or is longer than any measured
    distance."""
    notes: tuple[str, ...] = ()
    """Sentences on levels left out, merged bins and cells smaller than the correlation length."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for key in ("edges", "levels"):
            values = list(getattr(self, key))
            if values != sorted(set(values)):
                raise Unfit(key, str(values), f"ascending {key}, each once", "Calibrate again.")
        bins, levels = len(self.edges) + 1, len(self.levels)
        for key in ("factors", "units"):
            rows = getattr(self, key)
            if len(rows) != bins or {len(row) for row in rows} != {levels}:
                raise Unfit(key, "another shape", f"{bins} bins, with {levels} levels each", "Calibrate again.")
        if any(list(row) != sorted(row) for row in self.factors):
            raise Unfit("factors", "descending", "wider intervals at higher levels", "Calibrate again.")
        for level, *cells in zip(self.levels, *self.units, strict=True):
            if min(cells) < units_needed(level):
                expected = f"at least {units_needed(level)} at {percent(level)}"
                raise Unfit("units", f"a bin with {min(cells)} cells", expected, "Calibrate again.")
        return self


class ObjectCalibration(Section):
    """Height errors of the objects of a class on the validation tiles, of which intervals are quantiles."""

    min_area: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """m²: smaller objects were left out."""
    areas: tuple[PositiveFloat, ...]
    """m² of each object."""
    heights: tuple[Finite, ...]
    """Median of the predicted heights within each object in metres."""
    errors: tuple[NonNegative, ...]
    """Metres between the median of the true and that of the predicted heights within each object."""

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        if not len(self.areas) == len(self.heights) == len(self.errors):
            numbers = f"{len(self.errors)} errors, {len(self.heights)} heights and {len(self.areas)} areas"
            raise Unfit("errors", numbers, "one of each object", "Calibrate again.")
        return self


class Calibration(Section):
    """Calibration of a trained run for one predictor, from validation tiles alone."""

    format: int = FORMAT
    run: str
    """SHA-256 that ``run.yaml`` states: of the run's weights, or of those of an ensemble's members."""
    predictor: Annotated[str, Field(min_length=1)]
    """How maps are made of the networks, e.g. ``single`` or ``dropout``; another needs a calibration of its own."""
    prediction: PredictionSpec
    """Settings of the maps that it was made from; it holds for maps of these settings alone."""
    tiles: dict[str, str]
    """Hash of the image of each tile that it was made from."""
    classes: dict[str, ClassCalibration] = {}
    """By task."""
    heights: dict[str, HeightCalibration] = {}
    """By task."""
    objects: Annotated[dict[str, ObjectCalibration], Field(exclude_if=is_empty)] = {}
    """By class; none where objects were not asked for or maps have none of their classes."""
    remarks: tuple[str, ...] = ()
    """Sentences on the tiles: that they chose the weights, or have no truth of a task."""

    @property
    def notes(self) -> tuple[str, ...]:
        """All sentences on the calibration, those of its tasks too."""
        parts: list[ClassCalibration | HeightCalibration] = [*self.classes.values(), *self.heights.values()]
        return (*self.remarks, *(note for part in parts for note in part.notes))


def parse_calibration(data: Mapping[str, Any], place: Path) -> Calibration:
    """Validate a stored calibration.

    Parameters
    ----------
    data : mapping
        As :meth:`Calibration.model_dump` gives it, through JSON or YAML.
    place : Path
        The file that holds it, for messages.

    Raises
    ------
    ConfigError, DataError
        When it is of another format, or not a calibration.
    """
    require_format(place, data, FORMAT, "Calibrate the run again.")
    return Calibration.parse(data, str(place))


def percent(level: float) -> str:
    """Return a level in words.

    Examples
    --------
    >>> percent(0.95)
    '95 %'
    """
    return f"{100 * level:g} %"

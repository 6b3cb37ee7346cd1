"""The columns of the tables: which score, under which name, in which unit."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from mtlaerial.reporting.tables.collect import CLASS, GAIN, OVERALL

LENGTHS = ("MAE", "RMSE", "bias")


@dataclass(frozen=True)
class Column:
    """One score: where it is in the summary, and how it is shown."""

    header: str
    score: str
    mask: str = "all"
    group: str = OVERALL
    unit: float = 1.0
    """Metres per unit in which a length is shown."""

    @property
    def length(self) -> bool:
        """Whether it is a length; else a fraction, shown as a percentage."""
        return self.score in LENGTHS

    @property
    def lower_is_better(self) -> bool:
        """Whether it is an error."""
        return self.length or self.score == "REL"

    @property
    def digits(self) -> int:
        """Decimals that are shown."""
        return (3 if self.unit == 1 else 4) if self.length else 2

    def shown(self, value: float) -> float:
        """Return a value in the shown unit, rounded as shown; -0 becomes 0."""
        return round(value / self.unit if self.length else 100 * value, self.digits) + 0.0

    def text(self, value: float) -> str:
        """Return a value as it is shown, without its unit."""
        return f"{self.shown(value):.{self.digits}f}".replace("-", "−")


SEMANTICS = (
    Column("OA (%)", "OA"),
    Column("AA (%)", "AA"),
    Column("κ (%)", "kappa"),
    Column("mIoU (%)", "mIoU"),
    Column("mean F1 (%)", "F1"),
)
ERODED = tuple(
    replace(column, header=column.header.replace(" (%)", ", eroded (%)"), mask="eroded") for column in SEMANTICS
)
HEIGHT = (Column("MAE (m)", "MAE"), Column("RMSE (m)", "RMSE"))
POSITIVE = (
    Column("MAE, h > 0 (m)", "MAE", "positive"),
    Column("RMSE, h > 0 (m)", "RMSE", "positive"),
    Column("REL (%)", "REL", "positive"),
    Column("δ1 (%)", "delta1", "positive"),
    Column("δ2 (%)", "delta2", "positive"),
    Column("δ3 (%)", "delta3", "positive"),
)
"""With the paper's mask, 0 < h < 9000 m."""
GAINS = (Column("Δm (%)", GAIN),)


def in_unit(columns: Iterable[Column], unit: float | None) -> tuple[Column, ...]:
    """Return the MAE and RMSE among some columns in units of so many metres; none without a unit."""
    return tuple(
        replace(column, header=column.header.replace("(m)", f"({unit:g} m)"), unit=unit)
        for column in columns
        if unit and column.length
    )


def class_f1(classes: Iterable[str]) -> tuple[Column, ...]:
    """Return the F1 of each class."""
    return tuple(Column(f"F1 {name} (%)", "F1", group=CLASS + name) for name in classes)


def by_group(groups: Iterable[str], score: str, mask: str = "all", prefix: str = "") -> tuple[Column, ...]:
    """Return a height score of each group; what it is stands in the prefix, or in the caption."""
    return tuple(Column(prefix + group.removeprefix(CLASS), score, mask, group) for group in groups)

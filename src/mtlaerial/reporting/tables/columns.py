"""Columns of the tables: scores with their headers and units."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from mtlaerial.config import Task, task_entry
from mtlaerial.config.task_entry import Metrics
from mtlaerial.reporting.tables.consistency import VIOLATIONS
from mtlaerial.reporting.tables.gain import GAIN
from mtlaerial.reporting.tables.groups import CLASS, OVERALL, group_of
from mtlaerial.reporting.tables.score_rows import CHECKERBOARD, JOINT, SET, SETS, SQUARED_SHARE
from mtlaerial.scoring.checkerboard import PERIODS
from mtlaerial.scoring.label_masks import LabelMask
from mtlaerial.scoring.tile_sums import TALL_GROUP

_SPELT_OUT = 2
"""Classes that a header names; more are counted, where only one set of a table has as many."""
LENGTHS = ("MAE", "RMSE", "bias")
COVERAGE, WIDTH = "coverage ", "width "
"""Prefixes of the scores of intervals, before their level."""
OF_UNCERTAINTY = ("ECE", "AUSE", COVERAGE, WIDTH)
"""Beginnings of the names of scores of uncertainty."""


@dataclass(frozen=True)
class Column:
    """One score: its key in the summary, and its presentation."""

    header: str
    score: str
    mask: str = "all"
    group: str = OVERALL
    unit: float = 1.0
    """Metres per unit of a length in the table."""
    unit_stated: bool = True
    """Whether the unit of a length is known; else the column holds published numbers alone, as in their source."""

    @property
    def length(self) -> bool:
        """Whether the score is a length; otherwise it is a multiple, or a fraction, shown as a percentage."""
        return self.score in LENGTHS or self.score.startswith(WIDTH)

    @property
    def multiple(self) -> bool:
        """Whether the score is a ratio that may be far above 1, shown as such."""
        return self.score.startswith(CHECKERBOARD)

    @property
    def lower_is_better(self) -> bool:
        """Whether the score is an error."""
        return self.length or self.multiple or self.score in ("REL", "PFA")

    @property
    def ranked(self) -> bool:
        """Whether less or more is a merit.

        Errors of both signs cancel in a bias, shares of groups add up to 1, and maps of one class break few rules. A
        coverage is to be its level, and a width means nothing without it; nor does uncertainty without the scores.
        """
        return self.score not in ("bias", SQUARED_SHARE, VIOLATIONS) and not self.score.startswith(OF_UNCERTAINTY)

    @property
    def digits(self) -> int:
        """Number of decimals in the table."""
        if not self.length:
            return 2
        return 3 if self.unit == 1 else 4

    def shown(self, value: float) -> float:
        """Return a value in the table's unit, rounded to its decimals; -0 becomes 0."""
        scaled = value / self.unit if self.length or self.multiple else 100 * value
        return round(scaled, self.digits) + 0.0  # -0.0 + 0.0 is 0.0

    def text(self, value: float) -> str:
        """Return the text of a value, without its unit."""
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
)
"""Over 0 < h < 9000 m, which the original's code trains on."""
_RATIO_NAMES = {"REL": "REL", "delta1": "δ1", "delta2": "δ2", "delta3": "δ3"}
RATIOS = tuple(Column(f"{name}, h > 1 (%)", score, "objects") for score, name in _RATIO_NAMES.items())
"""Over objects, 1 m < h < 9000 m."""
POSITIVE_RATIOS = tuple(Column(f"{name}, h > 0 (%)", score, "positive") for score, name in _RATIO_NAMES.items())
"""Over 0 < h < 9000 m: only beside published numbers."""
DETECTION = (
    Column("F1-HE, 1.25 (%)", "F1-HE1"),
    Column("F1-HE, 1.25² (%)", "F1-HE2"),
    Column("F1-HE, 1.25³ (%)", "F1-HE3"),
    Column("PFA (%)", "PFA"),
)
RATIO_SCORES = tuple(_RATIO_NAMES)
DETECTION_SCORES = tuple(column.score for column in DETECTION)
BOTH = (Column("mIoU-3 (%)", JOINT),)
CONSISTENCY = (Column("violations (%)", VIOLATIONS),)
BIAS = (Column("bias (m)", "bias"), Column("bias, h > 3 (m)", "bias", group=TALL_GROUP))
GAINS = (Column("Δm (%)", GAIN),)
UNCERTAINTY = (
    Column("ECE (%)", "ECE"),
    Column("ECE before calibration (%)", "ECE before calibration"),
    Column("AUSE, classes (%)", "AUSE of classes"),
    Column("AUSE, MAE (%)", "AUSE, MAE"),
    Column("AUSE, RMSE (%)", "AUSE, RMSE"),
)
CHECKERBOARDS = (
    Column("checkerboard ratio, largest", CHECKERBOARD),
    *(Column(f"checkerboard ratio at {period} px", f"{CHECKERBOARD} {period} px") for period in PERIODS),
)


TASK_COLUMNS: dict[Metrics, tuple[Column, ...]] = {
    "classes": (*SEMANTICS, *ERODED),
    "heights": (*HEIGHT, *BIAS, *POSITIVE, *RATIOS, *DETECTION),
}
"""Columns of a task that is not the leading one of its metrics."""


def of_task(task: Task) -> tuple[Column, ...]:
    """Return the columns of a task that is not the leading one of its metrics, with its name in their headers."""
    return named_after(task, TASK_COLUMNS[task_entry(task).metrics])


def named_after(task: Task, columns: Iterable[Column]) -> tuple[Column, ...]:
    """Return columns of a task that is not the leading one of its metrics, with its name in their headers."""
    return tuple(
        replace(column, header=f"{task}: {column.header}", group=group_of(task, column.group)) for column in columns
    )


def in_unit(columns: Iterable[Column], unit: float | None) -> tuple[Column, ...]:
    """Return copies of the columns of lengths, shown in units of ``unit`` metres; none without a unit."""
    return tuple(
        replace(column, header=column.header.replace("(m)", f"({unit:g} m)"), unit=unit)
        for column in columns
        if unit and column.length
    )


def unit_not_stated(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Return copies of the columns of lengths for published numbers of which the source does not state the unit."""
    return tuple(
        replace(column, header=column.header.replace("(m)", "(unit not stated)"), unit_stated=False)
        for column in columns
        if column.length
    )


def class_f1(classes: Iterable[str]) -> tuple[Column, ...]:
    """Return the columns of each class's F1."""
    return tuple(Column(f"F1 {name} (%)", "F1", group=CLASS + name) for name in classes)


def violations_by_class(classes: Iterable[str]) -> tuple[Column, ...]:
    """Return the columns of the cells that break the rule of a class, of those predicted as it."""
    return tuple(Column(f"violations, {name} (%)", VIOLATIONS, group=CLASS + name) for name in classes)


def without_classes(columns: Iterable[Column], left_out: Iterable[Sequence[str]]) -> tuple[Column, ...]:
    """Return copies of semantic columns for each set of classes whose pixels are left out."""
    sets = dict.fromkeys(LabelMask.of(False, names).without for names in left_out if names)
    sizes = [len(names) for names in sets]
    spelt_out = [size <= _SPELT_OUT or sizes.count(size) > 1 for size in sizes]
    pairs = list(zip(sets, spelt_out, strict=True))
    return tuple(_without(column, *pair) for pair in pairs for column in columns)


def _without(column: Column, names: tuple[str, ...], spelt_out: bool) -> Column:
    text = ", ".join(names) if spelt_out else f"{len(names)} classes"
    header = column.header.replace(" (%)", f", without {text} (%)")
    return replace(column, header=header, mask=LabelMask(column.mask == "eroded", names).name)


def of_sets(sets: Iterable[str]) -> tuple[Column, ...]:
    """Return the columns of sets of classes: their mean IoU, then that of each."""
    names = list(sets)
    mean = [Column("mIoU, class sets (%)", SETS)] if names else []
    return (*mean, *(Column(f"IoU {name} (%)", "IoU", group=SET + name) for name in names))


def of_intervals(levels: Iterable[str], groups: Sequence[str] = (OVERALL,)) -> tuple[Column, ...]:
    """Return the columns of coverage and mean width of intervals at each level, in each group."""
    columns = []
    for level in levels:
        for group in groups:
            name = "" if group == OVERALL else f", {group.removeprefix(CLASS)}"
            columns.append(Column(f"coverage {level}{name} (%)", COVERAGE + level, group=group))
            columns.append(Column(f"width {level}{name} (m)", WIDTH + level, group=group))
    return tuple(columns)


def by_group(groups: Iterable[str], score: str, mask: str = "all", prefix: str = "") -> tuple[Column, ...]:
    """Return the columns of a height score by group; the score is named by the prefix, or by the table's caption."""
    return tuple(Column(prefix + group.removeprefix(CLASS), score, mask, group) for group in groups)

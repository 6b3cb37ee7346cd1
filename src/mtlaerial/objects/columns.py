"""Columns of the table of objects: names, dtypes and units."""

from typing import Literal, NamedTuple

ColumnDtype = Literal["int64", "str", "float64", "bool"]


class Column(NamedTuple):
    """A column of the table of objects.

    Attributes
    ----------
    name : str
    dtype : ColumnDtype
        Type in the GeoDataFrame and in the files.
    unit : str
        Unit of the values; empty for names and truth values, 1 for shares and probabilities.
    description : str
        Meaning, one line, without a full stop.
    nullable : bool
        Whether objects may have no value: NaN in the GeoDataFrame, NULL in the files.
    """

    name: str
    dtype: ColumnDtype
    unit: str
    description: str
    nullable: bool = False


COLUMNS = (
    Column("id", "int64", "", "number of the object from 1, in the order of first pixels, row by row"),
    Column("class", "str", "", "name of the class"),
    Column("area", "float64", "m²", "area of the polygon on the ground"),
    Column("perimeter", "float64", "m", "length of the outlines, those of holes included"),
    Column("height_median", "float64", "m", "median height of the pixels", nullable=True),
    Column("height_p90", "float64", "m", "90th percentile of the heights of the pixels", nullable=True),
    Column("height_max", "float64", "m", "greatest height of a pixel", nullable=True),
    Column("volume", "float64", "m³", "area times the mean height of the pixels", nullable=True),
    Column("height_lower", "float64", "m", "lower bound of the 90 % interval of the object's height", nullable=True),
    Column("height_upper", "float64", "m", "upper bound of the 90 % interval of the object's height", nullable=True),
    Column("probability", "float64", "1", "mean probability of the class over the pixels", nullable=True),
    Column("violations", "float64", "1", "share of the pixels that violate a rule between tasks", nullable=True),
    Column("touches_edge", "bool", "", "whether the object reaches the edge of the maps or pixels without a class"),
)
"""All columns in their order; the geometry, in the CRS of the maps, comes last."""

"""Tables as one row per method, for CSV files."""

from collections.abc import Sequence

import pandas as pd

from mtlaerial.reporting.tables.columns import Column
from mtlaerial.reporting.tables.values import Values


def wide_table(values: Values, columns: Sequence[Column]) -> pd.DataFrame:
    """Return mean and standard deviation over seeds of some columns, in their units, with a row per method."""
    wide: dict[str, list[object]] = {"method": list(values.methods), "seeds": list(values.seeds.values())}
    for column in columns:
        statistics = [values(method, column) for method in values.methods]
        wide[column.header] = [column.shown(mean) for mean, _, _ in statistics]
        wide[f"{column.header} std"] = [column.shown(std) for _, std, _ in statistics]
    return pd.DataFrame(wide)

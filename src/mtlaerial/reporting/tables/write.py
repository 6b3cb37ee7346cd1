"""Files of the tables: CSV, Markdown and LaTeX."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from mtlaerial.reporting.tables.collect import collect, mean_over_seeds
from mtlaerial.reporting.tables.label_efficiency import Curves
from mtlaerial.reporting.tables.layout import build_documents
from mtlaerial.reporting.tables.panels import Document
from mtlaerial.reporting.tables.published import Published
from mtlaerial.reporting.tables.render import latex, markdown
from mtlaerial.reporting.tables.steps import Chains
from mtlaerial.scoring.scores import Scores
from mtlaerial.system.files import write_text


def write_tables(
    scores: Sequence[Scores],
    folder: Path,
    published: Published | None = None,
    notes: Mapping[str, Sequence[str]] | None = None,
    ablations: Mapping[str, Chains] | None = None,
    margins: Mapping[str, float] | None = None,
    curves: Curves | None = None,
) -> tuple[Document, ...]:
    """Write all tables, and return them.

    Parameters
    ----------
    scores : sequence of Scores
        One per run, in the order of the tables.
    folder : Path
        Folder for ``scores.csv`` (every score of every run but those of objects); ``everything`` (mean, std and n over
        seeds of these scores, and published numbers); and for each data set ``{dataset}``, ``{dataset}_by_height``,
        ``{dataset}_height_by_class``, ``{dataset}_weightings`` and, with scores of uncertainty,
        ``{dataset}_uncertainty``, with those of objects ``{dataset}_objects``, with ablations ``{dataset}_steps``, with
        curves ``{dataset}_label_efficiency``; all but the first as ``.csv``, ``.md`` and ``.tex``.
        The same scores give the same bytes. CSV files of scores and of everything hold fractions and metres; the others
        percentages and metres. Fields without a value are empty.
    published : mapping of data set to sequence of PublishedSpec, optional
        Published numbers.
    notes : mapping of data set to sequence of str, optional
        Sentences on methods and runs, for below the tables.
    ablations : mapping of data set to sequence of sequence of str, optional
        Methods in the order of their steps, for each ablation.
    margins : mapping of data set to float, optional
        Effects that do not matter in the comparisons (``run.comparison.margin``).
    curves : mapping of task to LabelEfficiency, optional
        Methods with different shares of a task's truth.

    Returns
    -------
    tuple of Document
        See :func:`mtlaerial.reporting.tables.build_documents`.

    Raises
    ------
    ConfigError, DataError
        See :func:`mtlaerial.reporting.tables.collect`; or when the folder cannot be written.
    """
    long = collect(scores)
    write_text(folder / "scores.csv", _csv(long))
    summary = mean_over_seeds(long)
    documents = build_documents(
        scores, published, summary, notes=notes, ablations=ablations, margins=margins, curves=curves
    )
    for document in documents:
        write_text(folder / f"{document.stem}.csv", _csv(document.wide))
        write_text(folder / f"{document.stem}.md", markdown(document))
        write_text(folder / f"{document.stem}.tex", latex(document))
    return documents


def _csv(table: pd.DataFrame) -> str:
    return table.to_csv(index=False, float_format="%.9g", lineterminator="\n")

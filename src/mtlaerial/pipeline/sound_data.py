"""Refusal of data sets with faulty files, before they are prepared without Snakemake."""

import logging

from mtlaerial.datasets.archives import unpack_pending
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.check import check_dataset, summary, warnings_text
from mtlaerial.errors import DataError

log = logging.getLogger(__name__)


def require_sound(dataset: Dataset) -> None:
    """Unpack a data set's archives and check its files; log the warnings.

    Raises
    ------
    DataError
        When the check finds errors; it lists all.
    """
    unpack_pending(dataset.archives)
    report = check_dataset(dataset)
    if not report.ok:
        raise DataError(dataset.root, "\n" + summary(report), "a sound data set", "Mend what is listed as errors.")
    if warnings := warnings_text(report):
        log.warning("%s", warnings)

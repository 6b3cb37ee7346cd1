"""The entry that a data set given to a command has in a configuration."""

import logging
from pathlib import Path

from mtlaerial.config import ProjectConfig

log = logging.getLogger(__name__)


def configured_entry(config: ProjectConfig, dataset: str) -> str | None:
    """Return the name of a data set in the configuration; None where it has no such entry.

    Parameters
    ----------
    config : ProjectConfig
        Where only an entry of another name has the data set's specification, and changes the recipe, a warning says
        that these changes do not count.
    dataset : str
        Name of the data set, which is that of its specification's file.
    """
    if dataset in config.datasets:
        return dataset
    alike = [
        name
        for name, entry in config.datasets.items()
        if Path(entry.spec).stem == dataset and (entry.recipe or entry.overrides)
    ]
    if alike:
        text = "The configuration has no data set %s: recipe and overrides of %s, of its specification, do not count"
        log.warning(text, dataset, " and ".join(alike))
    return None

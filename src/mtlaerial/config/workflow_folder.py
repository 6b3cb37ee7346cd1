"""The folder of the workflow: Snakefile, rules, scripts, configurations, recipes, specifications and profiles."""

import os
from pathlib import Path

from mtlaerial.errors import UserError

PACKAGED = Path(__file__).parents[1] / "workflow"
"""The folder in an installed wheel, which has the layout of the repository."""
REPOSITORY = Path(__file__).parents[3]
"""The folder of an editable installation."""


def workflow_folder() -> Path:
    """Return the folder of the workflow: that in the package, or the repository of an editable installation.

    Raises
    ------
    UserError
        When neither is there, as in a copy of the package's modules alone.
    """
    for folder in (PACKAGED, REPOSITORY):
        if (folder / "Snakefile").is_file():
            return folder
    observed = f"no Snakefile here or in {REPOSITORY}"
    raise UserError(PACKAGED, observed, "the workflow", "Install mtlaerial from its wheel or its repository.")


def find_in_workflow(path: Path) -> Path:
    """Return a path as it is, from the working directory; else from the workflow's folder, where that has such a file.

    Parameters
    ----------
    path : Path
        A path that is nowhere is returned as it is.

    Examples
    --------
    >>> find_in_workflow(Path("config/recipes/compact.yaml")).is_file()
    True
    """
    # os.path.exists takes a folder that may not be searched for one without the file.
    if path.is_absolute() or os.path.exists(path):
        return path
    try:
        packaged = workflow_folder() / path
    except UserError:  # a copy of the modules alone needs no workflow as long as all files are its user's
        return path
    return packaged if packaged.exists() else path

"""The folder of a new project: configuration, profile, a Snakefile that uses the shipped workflow, and a page."""

from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Literal

from mtlaerial.config.workflow_folder import workflow_folder
from mtlaerial.errors import UserError
from mtlaerial.system.files import write_text

NewDataset = Literal["autzen", "dfc2018", "dfc2019", "geonrw", "potsdam", "vaihingen", "own"]
"""Data sets that a project may begin with: those of shipped specifications, or one of its own."""
_FOR_A_CPU = ("autzen", "own")
"""Data sets whose projects begin with the recipe for a CPU; the others, which are larger, with the original's."""
OWN_SPECIFICATION = "config/datasets/own.yaml"
_TEMPLATES = Path("workflow/project")
_COPIED = ("profiles/default/profile.yaml", "workflow/report/fit.css")
"""Files written as they are: the profile, and the style of Snakemake's report, which it names."""


def write_project(folder: Path, dataset: NewDataset) -> list[Path]:
    """Write the files of a new project.

    Parameters
    ----------
    folder : Path
        Made if it does not exist.
    dataset : NewDataset
        The data set that the project selects; with ``own``, a specification to fill in is written too.

    Returns
    -------
    list of Path
        The files, below ``folder``.

    Raises
    ------
    UserError
        When the folder is a file, is not empty, or cannot be written to.
    """
    _require_empty(folder)
    texts = {folder / name: text for name, text in _files(dataset)}
    for path, text in texts.items():
        write_text(path, text)
    return list(texts)


def _files(dataset: NewDataset) -> Iterator[tuple[str, str]]:
    """Yield path and text of each file; placeholders are filled in."""
    spec = OWN_SPECIFICATION if dataset == "own" else dataset
    recipe = "compact" if dataset in _FOR_A_CPU else "paper"
    description = f" Correct each line of `{spec}`." if dataset == "own" else ""
    values = {
        "dataset": dataset,
        "spec": spec,
        "root": f"datasets/{dataset}",
        "recipe": recipe,
        "description": description,
    }
    templates = {"Snakefile": "Snakefile", "README.md": "README.md", "config/config.yaml": "config.yaml"}
    if dataset == "own":
        templates[OWN_SPECIFICATION] = "own.yaml"
    shipped = workflow_folder()
    for name, template in templates.items():
        text = (shipped / _TEMPLATES / template).read_text(encoding="utf-8")
        yield name, Template(text).substitute(values)
    for name in _COPIED:
        yield name, (shipped / name).read_text(encoding="utf-8")


def _require_empty(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UserError(folder, "a file", "a new or empty folder", "Choose another place.")
    if folder.is_dir() and (names := sorted(path.name for path in folder.iterdir())):
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        raise UserError(folder, f"{names[0]}{more}", "a new or empty folder", "Choose another place.")

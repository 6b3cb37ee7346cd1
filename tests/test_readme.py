"""The first page: short, with commands that exist; and the page of commands, which lists those of the program."""

import re
import shlex

import pytest
import typer

from mtlaerial.cli import app
from mtlaerial.cli.panels import PANELS
from support.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = (ROOT / "docs/command-line.md").read_text(encoding="utf-8")
PROGRAM = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # click types lack it
STEPS = re.findall(r"^    (mtlaerial .+)$", README, re.MULTILINE)
LONGEST, MOST_ROWS = 100, 8
"""Lines, and rows of tables, of a page that is read at a first visit."""


def test_the_readme_is_a_first_page() -> None:
    lines = README.splitlines()
    assert len(lines) <= LONGEST
    rows = [line for line in lines if line.startswith("| ")]
    assert len(rows) <= MOST_ROWS, "a longer table belongs on a page of docs"


def test_the_readme_leads_from_an_image_to_a_table_in_five_commands() -> None:
    words = [shlex.split(step, comments=True)[1:] for step in STEPS]
    assert [name for name, *_ in words] == ["describe", "predict", "vectorise", "view", "zones"]
    for name, *arguments in words:
        PROGRAM[name].make_context(name, arguments)  # refuses what does not exist


@pytest.mark.parametrize("page", ["README.md", "docs/install.md"])
def test_the_address_of_the_repository_is_that_of_the_citation(page: str) -> None:
    (address,) = re.findall(
        r'^repository-code: "?(https?://[^"\s]+)', (ROOT / "CITATION.cff").read_text(), re.MULTILINE
    )
    named = set(re.findall(r"git\+([^\s']+)", (ROOT / page).read_text(encoding="utf-8")))
    assert named == {address}


def test_the_page_of_commands_lists_those_of_the_help_in_its_panels() -> None:
    sections = dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n)*)", COMMANDS, re.MULTILINE))
    listed = {panel: re.findall(r"^\| `mtlaerial ([\w-]+)", text, re.MULTILINE) for panel, text in sections.items()}
    assert listed == {panel: list(lines) for panel, lines in PANELS.items()}


@pytest.mark.parametrize(
    "row", re.findall(r"^\| `mtlaerial (.+?)` \|", COMMANDS, re.MULTILINE), ids=lambda row: row.split()[0]
)
def test_options_on_the_page_of_commands_exist(row: str) -> None:
    name, *arguments = row.split()
    options = {option for param in PROGRAM[name].params for option in param.opts}
    assert {word for word in arguments if word.startswith("--")} <= options

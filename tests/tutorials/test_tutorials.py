"""Every command of the tutorials runs, in the order of its page, and leaves what the page says."""

import re
from pathlib import Path

import pytest
import typer

from mtlaerial.cli import app
from mtlaerial.config import load_dataset, load_project
from support.paths import ROOT
from support.tutorials import PAGES, commands, follow, steps
from support.without_torch import needs_torch

NAMED = re.compile(r"`((?:maps|results|runs)/[\w./-]+\.\w+)`")
"""Files that a page says to be there at its end."""


def test_there_is_a_page_for_each_beginning() -> None:
    names = {page.stem for page in PAGES}
    assert names == {"own-data", "compare-methods", "few-labels", "cluster", "map-a-region", "predict", "add-a-part"}
    assert all(commands(page) for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_have_options_that_exist_and_files_are_valid(page: Path, tmp_path: Path) -> None:
    program = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # click types lack it
    for words in commands(page):
        if words[0] == "mtlaerial":
            program[words[1]].make_context(words[1], list(words[2:]))  # refuses what does not exist
    for step in steps(page):
        if not step.file or step.file == "my_cluster/profile.yaml":
            continue
        path = tmp_path / step.file
        path.write_text(step.text, encoding="utf-8")
        if "licence:" in step.text:
            assert load_dataset(path).tasks == ("semantics", "height")
        else:
            assert load_project(ROOT / "config/config.yaml", ROOT / "config/demo.yaml", path)


@needs_torch
@pytest.mark.full("trains, predicts, and runs the workflow")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_steps_of_a_page_work(page: Path, tmp_path: Path) -> None:
    follow(page, tmp_path)
    for name in NAMED.findall(page.read_text(encoding="utf-8")):
        assert (tmp_path / name).exists(), name

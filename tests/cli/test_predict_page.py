"""The commands of docs/predict.md are commands of the program."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from mtlaerial.cli import app

PAGE = (Path(__file__).parents[2] / "docs" / "predict.md").read_text(encoding="utf-8")
COMMANDS = [line for line in re.findall(r"mtlaerial predict [^`\n]+", PAGE) if "INPUT" not in line]


@pytest.mark.parametrize("command", COMMANDS)
def test_options_and_values_are_accepted(command: str) -> None:
    predict = typer.main.get_command(app).commands["predict"]  # type: ignore[attr-defined]  # click types lack it
    values = predict.make_context("predict", shlex.split(command)[2:]).params
    assert Path(values["out"]) == Path("maps")
    assert values["images"]


def test_the_page_has_commands() -> None:
    assert len(COMMANDS) >= 14

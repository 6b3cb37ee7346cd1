"""The group of the commands: types in the help, refused values, and Ctrl-C."""

import re

import pytest
import typer
from typer.testing import CliRunner

from mtlaerial.cli import app
from mtlaerial.cli.panels import PANELS


def test_help_shows_no_type_beside_flags_alone() -> None:
    lines = CliRunner().invoke(app, ["vectorise", "--help"], env={"COLUMNS": "140"}).output.splitlines()
    (flag,) = [line for line in lines if " --regularise " in line]
    (option,) = [line for line in lines if " --min-area " in line]
    (help_option,) = [line for line in lines if " --help " in line]
    assert "bool" not in flag
    assert "bool" not in help_option
    assert " N [x>=0] " in option


def test_every_command_is_in_one_panel_of_the_help_on_one_line_of_80_columns() -> None:
    listed = [name for lines in PANELS.values() for name in lines]
    assert sorted(listed) == sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]  # click types lack it
    output = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "80", "TERM": "dumb"}).output
    begins = [output.index(f"─ {panel} ─") for panel in PANELS]
    assert begins == sorted(begins)
    assert "─ Commands ─" not in output
    for (panel, lines), begin in zip(PANELS.items(), begins, strict=True):
        rows = output[begin:].split("╰")[0].splitlines()[1:]
        assert [row.strip("│ ").split(maxsplit=1) for row in rows] == [list(row) for row in lines.items()], panel
    assert "<bool>" not in output


@pytest.mark.parametrize("name", sorted(typer.main.get_command(app).commands))  # type: ignore[attr-defined]
def test_help_is_readable_at_80_columns(name: str) -> None:
    result = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "80", "TERM": "dumb"})
    assert "…" not in result.output
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    for param in command.params:
        assert all(f" {option} " in result.output for option in param.opts if option.startswith("--"))
    rows = [line for line in result.output.splitlines() if re.match("│ [* ]*--", line)]
    sentences = [re.split(r"  +", line.strip("│ "))[-1] for line in rows]
    begins = [line.rindex(sentence) for line, sentence in zip(rows, sentences, strict=True)]
    assert max(begins) <= 51, "less than 27 columns for the sentences"


def test_a_refused_choice_is_told_without_the_words_of_pydantic() -> None:
    result = CliRunner().invoke(app, ["init", "place", "--dataset", "ownn"])
    assert result.exit_code == 2
    assert "'ownn' is not one of" in result.output
    assert "Value error" not in result.output


def test_ctrl_c_ends_a_command_with_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mtlaerial.config.workflow_folder.workflow_folder", interrupted)
    result = CliRunner().invoke(app, ["workflow-path"])
    assert result.exit_code == 130
    assert "Interrupted." in result.output

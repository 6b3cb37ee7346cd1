"""The group of the commands: types in the help, refused values, and Ctrl-C."""

import pytest
from typer.testing import CliRunner

from mtlaerial.cli import app


def test_help_shows_no_type_beside_flags_alone() -> None:
    lines = CliRunner().invoke(app, ["vectorise", "--help"], env={"COLUMNS": "140"}).output.splitlines()
    (flag,) = [line for line in lines if " --regularise " in line]
    (option,) = [line for line in lines if " --min-area " in line]
    assert "bool" not in flag
    assert "float" in option.lower()


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

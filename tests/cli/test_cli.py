"""The command line: help with examples, without waiting for torch; interruptions."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer

from mtlaerial.cli import app
from support.command_line import Call

COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]  # click types lack it


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(call: Call, command: str) -> None:
    code, out, _ = call(command, "--help")
    assert code == 0
    assert "Example:" in out
    assert f"mtlaerial {command} " in out


def test_the_help_lists_every_command(call: Call) -> None:
    code, out, _ = call("--help")
    assert code == 0
    assert COMMANDS == [
        "assess", "calibrate", "check", "dashboard", "describe", "ensemble", "export", "folds", "import-checkpoint",
        "init", "networks", "power", "predict", "probe", "rasterise", "sample", "score", "score-objects", "status",
        "synthesise", "train", "upgrade", "vectorise", "view", "weightings", "workflow-path", "zones",
    ]  # fmt: skip
    assert all(command in out for command in COMMANDS)


@pytest.mark.parametrize(
    "code",
    [
        "import mtlaerial.cli",
        "import sys, contextlib\nsys.argv = ['mtlaerial', '--help']\nfrom mtlaerial.cli import main\n"
        "with contextlib.suppress(SystemExit):\n    main()",
        "import sys, contextlib\nsys.argv = ['mtlaerial', 'predict', '--help']\nfrom mtlaerial.cli import main\n"
        "with contextlib.suppress(SystemExit):\n    main()",
    ],
    ids=["import", "--help", "predict --help"],
)
def test_help_comes_without_waiting_for_torch(code: str) -> None:
    names = {"torch", "onnx", "rasterio", "pandas", "geopandas", "lightning_fabric"}
    heavy = f"import sys; print(sorted({names} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{heavy}"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_an_interruption_is_said_in_a_word(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(folder: Path) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("mtlaerial.runs.text.describe_run", interrupted)
    code, _, err = call("describe", tmp_path)
    assert code == 130
    assert len(err.splitlines()) <= 1

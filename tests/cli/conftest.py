"""A data set, a run, and the program, for tests of the command line."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mtlaerial import cli
from mtlaerial.datasets.catalog import Dataset
from support.command_line import Town


@pytest.fixture
def town(tmp_path: Path, city: Dataset) -> Town:
    return Town(tmp_path, city)


@pytest.fixture
def run(tmp_path: Path, run_folder: Path) -> Path:
    return Path(shutil.copytree(run_folder, tmp_path / "run"))


@pytest.fixture
def program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Return a function that runs the program and returns its exit code and all its output."""

    def program(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["mtlaerial", *map(str, arguments)])
        capsys.readouterr()
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        output = "".join(capsys.readouterr())
        assert "Traceback" not in output
        assert not list(tmp_path.rglob("*.part*"))
        return code, output

    return program

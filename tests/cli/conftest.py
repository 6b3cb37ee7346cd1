"""A data set, a run, and the program, for tests of the command line."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from mtlaerial import cli
from mtlaerial.datasets.catalog import Dataset
from support import tiny
from support.command_line import Call, Town


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


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Return a function that runs the command line and returns exit code, output and error output."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "dumb")

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mtlaerial", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        output = capsys.readouterr()
        return int(ended.value.code or 0), output.out, output.err

    return run


@pytest.fixture
def project(tmp_path: Path) -> dict[str, Path]:
    """Return the paths of a specification and a configuration of the smallest sizes."""
    spec, config = tmp_path / "town.yaml", tmp_path / "config.yaml"
    spec.write_text(yaml.safe_dump(tiny.city_spec().model_dump(mode="json")), encoding="utf-8")
    content = {
        "run": {"datasets": ["town"], "methods": ["equal"], "seeds": [0]},
        "datasets": {"town": {"spec": str(spec), "root": "town"}},
        "models": {"tiny": tiny.MODEL},
        "methods": {"equal": {"tasks": ["semantics", "height"], "model": "tiny"}},
        "training": {**tiny.TRAINING, "epochs": 1},
    }
    config.write_text(yaml.safe_dump(content), encoding="utf-8")
    return {"spec": spec, "config": config, "root": tmp_path / "data", "run": tmp_path / "run"}

"""Options of all commands: details with -v, warnings and errors alone with -q."""

import logging
from collections.abc import Callable, Iterator

import pytest

from mtlaerial.cli.common_options import set_options
from mtlaerial.system import progress
from support.command_line import Town, config
from support.without_torch import needs_torch

Program = Callable[..., tuple[int, str]]


@pytest.fixture(autouse=True)
def levels(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[logging.Logger, logging.Logger]]:
    """Give the loggers whose levels are set, as they are when the program begins, and restore them."""
    root, package = logging.getLogger(), logging.getLogger("mtlaerial")
    before = root.level, package.level
    monkeypatch.setattr(progress, "_hidden", False)
    root.setLevel(logging.INFO)
    package.setLevel(logging.NOTSET)
    yield root, package
    root.setLevel(before[0])
    package.setLevel(before[1])


def enabled(name: str = "mtlaerial.training.trainer") -> int:
    return logging.getLogger(name).getEffectiveLevel()


@needs_torch
def test_quiet_logs_warnings_alone_and_shows_no_bars(program: Program) -> None:
    code, _ = program("-q", "weightings")
    assert code == 0
    assert enabled() == logging.WARNING
    assert progress._hidden


@needs_torch
def test_verbose_logs_details_of_this_package_alone(program: Program) -> None:
    program("--verbose", "weightings")
    assert enabled() == logging.DEBUG
    assert enabled("matplotlib") == logging.INFO


@needs_torch
def test_without_an_option_progress_is_logged(program: Program) -> None:
    program("weightings")
    assert enabled() == logging.INFO
    assert not progress._hidden


def test_other_processes_of_a_training_log_errors_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    logging.getLogger().setLevel(logging.ERROR)
    set_options(verbose=True)
    assert enabled() == logging.ERROR


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"methods": {"equal": {"weighting": {"name": "cagrad", "radius": 1}}}}, "key radius: found an unknown key"),
        ({"training": {"truth_patches": 3, "batch": 4}}, "training.truth_patches: found 3"),
        ({"training": {"accelerator": "cuda"}}, "training.accelerator: found cuda"),
    ],
)
@needs_torch
def test_an_option_that_no_training_takes_is_refused_before_any_work(
    program: Program, town: Town, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], words: str
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    out = town.folder / "run"
    code, output = program("train", town.spec, "--root", town.root, "--out", out, "--config", config(town, **changes))
    assert (code, words in output) == (1, True), output
    assert "checking" not in output
    assert not out.exists()

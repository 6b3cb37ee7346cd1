"""Code hashes of a stage: they change with the modules that it imports, and with no others."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mtlaerial.runs import code_hash as module
from mtlaerial.runs.code_hash import ENTRY_MODULES, PACKAGE, HashedPart, code_hash, stage_files
from support.without_torch import needs_torch


@pytest.fixture
def edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Return a function that adds a comment to a module of a copy of the package, which is hashed."""
    copy = tmp_path / "mtlaerial"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(module, "PACKAGE", copy)

    def add_comment(name: str) -> None:
        path = copy / name
        path.write_text(path.read_text(encoding="utf-8") + "# edited\n", encoding="utf-8")
        code_hash.cache_clear()

    code_hash.cache_clear()
    yield add_comment
    code_hash.cache_clear()


def hashes() -> dict[HashedPart | None, str]:
    return {stage: code_hash(stage) for stage in (None, *ENTRY_MODULES)}


@pytest.mark.quick_cases(1, "all modules are parsed again for each")
@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("training/trainer.py", {"training"}),
        ("sampling/poses.py", {"training"}),
        ("weighting/methods/cagrad.py", {"training"}),
        ("models/encoders/convnext.py", {"training"}),
        ("models/published/densenet.py", {"training"}),
        ("prediction/map_network.py", {"training"}),
        ("tasks/height.py", {"training", "import", "scoring", "report"}),
        ("training/height_error.py", {"training"}),
        ("models/d3net.py", {"training", "import", "scoring", "report"}),
        ("models/original/checkpoint.py", {"import"}),
        ("scoring/metrics.py", {"training", "scoring", "report"}),
        ("scoring/tile_sums.py", {"scoring", "report"}),
        ("reporting/tables/render.py", {"report"}),
        ("reporting/report/assets/page.css", {"report"}),
        ("cli/runs.py", set()),
        ("dashboard/viewer.py", set()),
    ],
)
def test_an_edit_changes_the_hashes_of_the_stages_that_import_the_module(
    edit: Callable[[str], None], name: str, stages: set[HashedPart]
) -> None:
    before = hashes()
    edit(name)
    after = hashes()
    assert {stage for stage in before if before[stage] != after[stage]} == stages | {None}


def test_a_hash_is_short_and_the_same_in_every_process() -> None:
    code = "from mtlaerial.runs.code_hash import code_hash; print(code_hash('training'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert re.fullmatch("[0-9a-f]{12}", code_hash("training"))
    assert done.stdout.strip() == code_hash("training")


def test_a_renamed_module_changes_the_hash_of_the_package(edit: Callable[[str], None]) -> None:
    before = code_hash()
    edited = module.PACKAGE / "cli" / "runs.py"
    edited.rename(edited.with_name("renamed.py"))
    code_hash.cache_clear()
    assert code_hash() != before


@pytest.mark.full("a training in a process of its own")
@needs_torch
def test_all_modules_that_a_training_loads_are_among_its_files() -> None:
    """Static analysis finds every module that Python imports."""
    code = (
        "import sys, mtlaerial.training.train; print(*(m.__file__ for n, m in sys.modules.items() if 'mtlaerial' in n))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {Path(name) for name in done.stdout.split()}
    assert loaded <= set(stage_files("training"))


def test_names_for_type_checkers_alone_do_not_count(edit: Callable[[str], None]) -> None:
    before = stage_files("scoring")
    path = module.PACKAGE / "scoring" / "scores.py"
    lines = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import mtlaerial.cli\n"
    path.write_text(path.read_text(encoding="utf-8") + lines, encoding="utf-8")
    assert stage_files("scoring") == before
    path.write_text(path.read_text(encoding="utf-8") + "def f():\n    from mtlaerial import cli\n", encoding="utf-8")
    assert set(stage_files("scoring")) > set(before)

"""Atomic writes, and the temporary files that killed processes leave."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch

from mtlaerial.errors import DataError
from mtlaerial.models.safetensors_io import save_weights
from mtlaerial.system.files import partial_path, remove_leftovers, require_place, write_text, writing


def test_weights_have_the_mode_that_the_umask_gives(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        save_weights(tmp_path / "model.safetensors", {"bias": torch.zeros(2)})
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "model.safetensors").stat().st_mode) == 0o640


def test_files_that_a_killed_process_left_are_removed_and_those_of_a_running_one_stay(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from mtlaerial.system.files import writing\n"
        "with writing(Path(sys.argv[1])) as partial:\n"
        "    partial.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "height.tif")], check=False)
    assert [path.name.startswith(".height.") for path in tmp_path.iterdir()] == [True]
    with writing(tmp_path / "semantics.tif") as partial:
        partial.write_text("half")
        nested = partial_path(partial.with_suffix(".plain.tif"))
        nested.write_text("half")
        remove_leftovers(tmp_path)
        assert set(tmp_path.iterdir()) == {partial, nested}


def test_leftovers_of_other_machines_and_other_files_stay(tmp_path: Path) -> None:
    # A process of another machine cannot be seen from here, and may still write.
    names = [".height.elsewhere-999999999.part.tif", ".hidden", "height.tif", ".a.12.part"]
    for name in names:
        (tmp_path / name).write_text("")
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


def fail_beside(paths: Sequence[Path], path: Path, fault: BaseException) -> None:
    """Write files, and another one in whose middle a fault happens."""
    with writing(path) as partial:
        partial.write_text("half")
        for each in paths:
            write_text(each, "whole")
        raise fault


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), DataError("a.tif", "damage", "an image"), OSError(28, "full")])
def test_a_folder_that_was_made_in_vain_is_removed(fault: BaseException, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises((KeyboardInterrupt, DataError)):
        fail_beside([], tmp_path / "mine" / "new" / "maps" / "height.tif", fault)
    assert [path.name for path in tmp_path.rglob("*")] == ["mine"]


def test_a_folder_that_was_made_and_holds_files_stays(tmp_path: Path) -> None:
    whole = tmp_path / "new" / "semantics.tif"
    with pytest.raises(KeyboardInterrupt):
        fail_beside([whole], tmp_path / "new" / "height.tif", KeyboardInterrupt())
    assert list(tmp_path.rglob("*.*")) == [whole]


@pytest.mark.parametrize("check", [lambda path: write_text(path, ""), require_place])
def test_a_place_that_cannot_be_written_to_is_told_in_the_middle_of_a_sentence(
    check: Callable[[Path], None], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "below", tmp_path / "file" / "further" / "below"):
        with pytest.raises(DataError, match=f"{path}: found not a directory; expected a place to write to"):
            check(path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_place_that_can_be_written_to_is_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("earlier")
    require_place(tmp_path / "report.json")
    require_place(tmp_path / "new" / "report.json")
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
    assert (tmp_path / "report.json").read_text() == "earlier"

"""Atomic writes, and the temporary files that killed processes leave."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import torch

from mtlaerial.models.safetensors_io import save_weights
from mtlaerial.system.files import partial_path, remove_leftovers, writing


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

"""GPU locks: one job per GPU, locks freed by the end of a process, and answers of ``nvidia-smi``."""

import logging
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mtlaerial.errors import DeviceError
from mtlaerial.system import nvidia_smi as nvidia
from mtlaerial.system.gpu_locks import reserved_gpus
from mtlaerial.system.nvidia_smi import visible_gpus
from support.gpus import FIRST, SECOND, simulate
from support.waiting import eventually

HOLDS = """
import os, sys, time
from mtlaerial.system.gpu_locks import reserved_gpus
with reserved_gpus(int(sys.argv[1])) as own:
    print(*own, os.environ.get("CUDA_VISIBLE_DEVICES"), flush=True)
    {then}
"""
"""Program that takes GPUs in another process, since the locks are a process's."""
ANOTHER_USER = """
import os, sys, mtlaerial.system.gpu_locks
os.setuid(int(sys.argv[2]))
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    simulate(monkeypatch, tmp_path)


@contextmanager
def holder(
    number: int = 1, then: str = "time.sleep(1000)", *more: str, before: str = ""
) -> Iterator[subprocess.Popen[str]]:
    """Run a process that takes so many GPUs, and end it."""
    command = [sys.executable, "-c", before + HOLDS.format(then=then), str(number), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def gpu_report(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


@pytest.mark.usefixtures("gpus")
def test_jobs_take_different_gpus_and_see_no_other() -> None:
    with holder() as one, holder() as rival:
        assert sorted([gpu_report(one), gpu_report(rival)]) == [f"{FIRST} {FIRST}", f"{SECOND} {SECOND}"]


@pytest.mark.usefixtures("gpus")
def test_a_third_waits_and_takes_the_first_that_is_free(caplog: pytest.LogCaptureFixture) -> None:
    """It is the second GPU that a killed job leaves: a job does not wait for one of them."""
    caplog.set_level(logging.INFO, "mtlaerial.system.gpu_locks")
    with holder() as one, holder() as rival:
        by_gpu = {gpu_report(process).split()[0]: process for process in (one, rival)}

        def kill_when_another_waits() -> None:
            eventually(lambda: "waiting for" in caplog.text)
            by_gpu[SECOND].kill()

        threading.Thread(target=kill_when_another_waits).start()
        with reserved_gpus(1) as gpus:
            assert gpus == (SECOND,)
    assert [record.message for record in caplog.records] == ["waiting for 1 of 2 GPUs to be free", f"took {SECOND}"]


@pytest.mark.full("waits for processes")
@pytest.mark.usefixtures("gpus")
def test_several_are_taken_together_or_not_at_all() -> None:
    """While two jobs wait for both GPUs, the free one stays free for a job that needs one."""
    with holder() as one:
        held = gpu_report(one).split()[0]
        with holder(2, "pass") as pair, holder(2, "pass") as rival:
            time.sleep(2 * 0.5)
            with holder(1, "pass") as small:
                assert gpu_report(small).split()[0] != held
            one.kill()
            both = f"{FIRST} {SECOND} {FIRST},{SECOND}"
            assert [gpu_report(pair), gpu_report(rival)] == [both, both]


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize(
    "child", ["os.fork() or time.sleep(1000)", "__import__('subprocess').Popen(['sleep', '1000']).pid"]
)
def test_children_do_not_hold_what_their_parent_had(child: str) -> None:
    with holder(2, f"print({child}, flush=True); os.kill(os.getpid(), 9)") as parent:
        assert gpu_report(parent)
        orphan = int(gpu_report(parent))
        os.waitid(os.P_PID, parent.pid, os.WEXITED | os.WNOWAIT)
        try:
            os.kill(orphan, 0)
            began = time.monotonic()
            with reserved_gpus(2):
                assert time.monotonic() - began < 240
        finally:
            os.kill(orphan, signal.SIGKILL)


@needs_root
def test_users_share_the_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o1777)
        simulate(monkeypatch, folder)
        with holder(1, "time.sleep(1000)", "1234", before=ANOTHER_USER) as one:
            assert gpu_report(one).startswith(FIRST)
            with holder(1, "time.sleep(1000)", "4321", before=ANOTHER_USER) as rival:
                assert gpu_report(rival).startswith(SECOND)
        locks = folder / "mtlaerial-gpus"
        assert stat.S_IMODE(locks.stat().st_mode) == 0o1777
        assert {stat.S_IMODE(path.stat().st_mode) for path in locks.iterdir()} == {0o666}


def test_a_job_on_the_cpu_sees_no_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    simulate(monkeypatch, tmp_path, "exit 9")  # nor asks for any
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    with reserved_gpus(0) as gpus:
        assert gpus == ()
        assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "1"


@pytest.mark.parametrize("script", ["echo No devices were found; exit 6", "true"])
def test_without_gpus_nothing_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> None:
    simulate(monkeypatch, tmp_path, script)
    with reserved_gpus(1) as gpus:
        assert gpus == ()
        assert "CUDA_VISIBLE_DEVICES" not in os.environ
    monkeypatch.setenv("PATH", str(tmp_path))
    with reserved_gpus(4) as gpus:
        assert gpus == ()


@pytest.mark.usefixtures("gpus")
def test_asking_for_more_gpus_than_there_are_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeviceError, match=r"resources.gpu: found 3 GPUs wanted; expected at most 2"), reserved_gpus(3):
        pass
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    with pytest.raises(DeviceError, match=r"found 2 GPUs wanted; expected at most 1"), reserved_gpus(2):
        pass


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        ("", []),
        ("1", [SECOND]),
        ("1,0", [SECOND, FIRST]),
        (" 1 , GPU-1111", [SECOND, FIRST]),
        (SECOND, [SECOND]),
        ("MIG-4b5c/1/0,0", ["MIG-4b5c/1/0", FIRST]),
        ("0,-1,1", [FIRST]),
        ("-1", []),
        ("NoDevFiles", []),
        ("GPU-", []),
        ("1,1", [SECOND]),
    ],
)
def test_visible_devices_are_respected(monkeypatch: pytest.MonkeyPatch, visible: str, expected: list[str]) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert list(visible_gpus()) == expected


@pytest.mark.usefixtures("gpus")
def test_a_part_of_a_gpu_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-4b5c/1/0")
    with reserved_gpus(1) as gpus:
        assert gpus == ("MIG-4b5c/1/0",)
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "MIG-4b5c/1/0"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo cannot talk to the driver; exit 9", r"exit code 9 \(cannot talk to the driver\)"),
        ("echo 0, [GPU is lost]", r"'0, \[GPU is lost\]'; expected a number and a UUID"),
        ("sleep 1000", "no answer in 1 s"),
    ],
)
def test_a_broken_nvidia_smi(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, message: str) -> None:
    simulate(monkeypatch, tmp_path, script)
    if script.startswith("sleep"):
        monkeypatch.setattr(nvidia, "PATIENCE", 1.0)
    with pytest.raises(DeviceError, match=rf"nvidia-smi: found {message}.*training.accelerator to cpu"):
        visible_gpus()


@pytest.mark.usefixtures("gpus")
def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    Path(tempfile.gettempdir(), "mtlaerial-gpus").write_text("a file")
    with pytest.raises(DeviceError, match=r"not a directory.*set TMPDIR"), reserved_gpus(1):
        pass

"""Faults of a region's jobs at random moments, and what has to hold while they last."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from support.map_region import MapRegion

SMALL_DISK = 24
"""Megabytes of a file system that is to be full."""


@dataclass
class MapAttempt:
    """Jobs of a region that a fault befalls.

    Attributes
    ----------
    place : MapRegion
    moments : Random
        Decides when something happens, and to what.
    seconds : float
        That the jobs take without a fault.
    """

    place: MapRegion
    moments: random.Random
    seconds: float

    def at_a_moment(self) -> BaseProcess | None:
        """Start the jobs; return their process at a random moment, None where it has ended before."""
        process = self.place.start()
        process.join(self.moments.uniform(0.05, 0.95) * self.seconds)
        if process.is_alive():
            return process
        process.join()
        return None

    def some_image(self) -> Path:
        """Return one of the images."""
        return self.moments.choice(self.place.images)


MapFault = Callable[[MapAttempt], bool]
"""Starts jobs, lets something happen, and goes on until a repetition can succeed; tells whether it did happen."""


def end_by(number: int) -> MapFault:
    """Return the fault that the jobs' process gets a signal: as of a kill, a cancelled job, or a time limit."""

    def fault(attempt: MapAttempt) -> bool:
        process = attempt.at_a_moment()
        if process is None:
            return False
        assert process.pid is not None
        os.kill(process.pid, number)
        process.join()
        return True

    return fault


def warn_and_kill(attempt: MapAttempt) -> bool:
    """Warn by SIGTERM and kill soon after, as a scheduler does at a time limit."""
    process = attempt.at_a_moment()
    if process is None:
        return False
    process.terminate()
    process.join(attempt.moments.uniform(0, 0.2))
    process.kill()
    process.join()
    return True


def halt(attempt: MapAttempt) -> bool:
    """Halt the jobs for a while."""
    process = attempt.at_a_moment()
    if process is None:
        return False
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(attempt.moments.uniform(0.2, 2))
    os.kill(process.pid, signal.SIGCONT)
    process.join()
    return True


def lose_image(attempt: MapAttempt) -> bool:
    """Let an image vanish while the jobs are at work, and put it back after their end."""
    return _without(attempt, lambda image: image.rename(image.with_suffix(".away")), put_back)


def damage_image(attempt: MapAttempt) -> bool:
    """Damage an image while the jobs are at work, and mend it after their end."""
    return _without(attempt, damage, mend)


def damage(image: Path) -> None:
    """Overwrite the middle of an image, with size and time as before; it is kept beside it."""
    content, times = image.read_bytes(), image.stat()
    image.with_suffix(".away").write_bytes(content)
    with image.open("r+b") as file:
        file.seek(len(content) // 3)
        file.write(b"\xff" * (len(content) // 3))
    os.utime(image, ns=(times.st_atime_ns, times.st_mtime_ns))


def mend(image: Path) -> None:
    """Undo :func:`damage`."""
    times = image.stat()
    put_back(image)
    os.utime(image, ns=(times.st_atime_ns, times.st_mtime_ns))


def put_back(image: Path) -> None:
    """Rename what is kept beside an image to its name."""
    image.with_suffix(".away").rename(image)


def _without(attempt: MapAttempt, spoil: Callable[[Path], object], mend: Callable[[Path], object]) -> bool:
    """Spoil an image at a random moment. Only sheets that see it may fail, and the last line names one of them."""
    process, image, place = attempt.at_a_moment(), attempt.some_image(), attempt.place
    if process is None:
        return False
    spoil(image)
    process.join()
    missing = {sheet.name for sheet in place.region.sheets} - place.complete_sheets()
    assert missing <= place.sheets_that_see(image), (image, missing)
    assert bool(process.exitcode) == bool(missing)
    if missing:
        log = (place.folder / "log").read_text().splitlines()
        ends = [line for line in log if "sheets without a map: " in line]
        assert ends, "the end names no sheet"
        assert any(name in ends[-1] for name in missing), (ends, missing)
        assert any(f"images/{image.name}" in line for line in log)
    mend(image)
    return True


def fill_disk(attempt: MapAttempt) -> bool:
    """Fill the disk while the jobs are at work; free it after their end, which names the disk."""
    place = attempt.place
    with small_disk(place.maps):
        process = attempt.at_a_moment()
        if process is None:
            return False
        filler = place.maps / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(2**12)):
                    pass
            except OSError:
                pass
        process.join()
        if process.exitcode:
            assert "Free space" in (place.folder / "log").read_text()
        filler.unlink()
        return True


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Put a folder on a small file system of its own; its content is moved there, and back. Only root may."""
    aside = folder.with_name(f"{folder.name}.aside")
    shutil.copytree(folder, aside)
    options = f"size={SMALL_DISK}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        yield
        shutil.rmtree(aside)
        shutil.copytree(folder, aside)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    shutil.rmtree(folder)
    aside.rename(folder)


def work_twice(attempt: MapAttempt) -> bool:
    """Start the same jobs a second time while they are at work, as two commands that share no lock would."""
    process = attempt.at_a_moment()
    if process is None:
        return False
    second = attempt.place.start()
    process.join()
    second.join()
    return True


def lose_pages(attempt: MapAttempt) -> bool:
    """Cut files that were written just before a power cut, as a file system that had not stored them does."""
    process = attempt.at_a_moment()
    if process is None:
        return False
    process.kill()
    process.join()
    files = [path for path in attempt.place.maps.rglob("*.*") if path.is_file() and path.name != "region.json"]
    latest = sorted(files, key=lambda path: path.stat().st_mtime_ns)[-12:]
    for path in attempt.moments.sample(latest, min(3, len(latest))):
        os.truncate(path, attempt.moments.choice([0, path.stat().st_size * 9 // 10]))
    return True


MAP_FAULTS: dict[str, MapFault] = {
    "kill": end_by(signal.SIGKILL),
    "terminate": end_by(signal.SIGTERM),
    "interrupt": end_by(signal.SIGINT),
    "limit": warn_and_kill,
    "halt": halt,
    "lost-image": lose_image,
    "damaged-image": damage_image,
    "full-disk": fill_disk,
    "twice": work_twice,
    "power": lose_pages,
}

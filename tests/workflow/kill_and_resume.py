"""Break the workflow off at random moments, go on each time, and compare the results with those of an unbroken run.

``python tests/workflow/kill_and_resume.py --kills 10 --overlay config/demo.yaml``

Snakemake and all its jobs are killed (SIGKILL); ``workflow/resume.py``, which is what ``make resume`` runs, goes on.
All results but logs and timings are compared byte for byte. Exit code 1 on any difference.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from workplace import TINY, Workplace, kill_session

STARTUP = 2.0
"""Seconds before which Snakemake has hardly started a job."""


def main() -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--overlay", type=Path, default=TINY)
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    parser.add_argument("--folder", type=Path, help="where to work; by default a temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = options.folder or Path(temporary)
        return compare(root, options.overlay, options.kills, random.Random(options.seed))


def compare(root: Path, overlay: Path, kills: int, moments: random.Random) -> int:
    """Return 0 when broken runs end like the unbroken one."""
    untouched = Workplace(root / "untouched", overlay)
    unbroken = untouched.copy(root / "unbroken")
    began = time.monotonic()
    finish(unbroken, "the unbroken run", unbroken.start())
    duration = time.monotonic() - began
    expected = unbroken.results()
    print(f"unbroken: {duration:.1f} s, {len(expected)} files", flush=True)
    done, different = 0, 0
    while done < kills:  # a broken run that finishes early is followed by another
        broken = untouched.copy(root / f"broken{done}")
        number = break_off(broken, kills - done, duration, moments)
        done += number
        wrong = differences(expected, broken.results())
        print(f"finished after {number} kills: {len(wrong)} differences {' '.join(wrong)}", flush=True)
        different += len(wrong)
    print(f"{done} kills, {different} differences")
    return int(different > 0)


def break_off(place: Workplace, kills: int, duration: float, moments: random.Random) -> int:
    """Run to the end with up to so many kills on the way; return how many there were."""
    snakemake, number = place.start(), 0
    while number < kills:
        wait = STARTUP + moments.uniform(0, 2 * duration / (kills + 1))
        try:
            snakemake.wait(wait)
        except subprocess.TimeoutExpired:
            running = kill_session(snakemake)
            print(f"kill after {wait:.1f} s while running: {', '.join(running) or 'no job'}", flush=True)
            snakemake = place.start("workflow/resume.py")
            number += 1
        else:
            break
    finish(place, "the resumed run", snakemake)
    return number


def finish(place: Workplace, what: str, snakemake: subprocess.Popen[bytes]) -> None:
    """Wait for the end, which has to be a good one."""
    if snakemake.wait() != 0:
        log = (place.folder / "snakemake.log").read_text()
        sys.exit(f"{what.capitalize()} ended with exit code {snakemake.returncode} in {place.folder}:\n{log[-5000:]}")


def differences(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    """Return the files that differ or are in one only."""
    return [name for name in sorted(one.keys() | other.keys()) if one.get(name) != other.get(name)]


if __name__ == "__main__":
    sys.exit(main())

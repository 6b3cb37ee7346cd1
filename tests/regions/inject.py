"""Inject faults into the jobs of a small region at random moments, and compare the maps with those of an unbroken one.

``python tests/regions/inject.py kill lost-image --times 10``; without names all faults. A full disk needs root.

The jobs run in a process of their own, without Snakemake: ``tests/workflow/inject.py`` has the faults of the whole
workflow. After each fault the jobs are started again, as the user's command does, until they are done. All files are
compared byte for byte. Exit code 1 on any difference.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from support.map_faults import MAP_FAULTS, MapAttempt
from support.map_region import MapRegion
from support.workplace import differences


def main() -> int:
    """Inject the faults asked for; print the outcome of each kind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faults", nargs="*", choices=[*MAP_FAULTS, []])
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        unbroken = Unbroken(Path(folder))
        wrong = [
            unbroken.repeat(name, options.times, random.Random(f"{options.seed} {name}"))
            for name in options.faults or MAP_FAULTS
        ]
    return int(any(wrong))


class Unbroken:
    """A region that was mapped without a fault."""

    def __init__(self, root: Path) -> None:
        self.root, self.untouched = root, MapRegion(root / "untouched")
        place = self.untouched.copy(root / "unbroken")
        begun = time.monotonic()
        finish(place)
        self.seconds, self.expected = time.monotonic() - begun, place.results()
        print(f"unbroken: {self.seconds:.1f} s, {len(self.expected)} files", flush=True)

    def repeat(self, name: str, times: int, moments: random.Random) -> int:
        """Inject a fault so many times, each into maps of its own; return the number of different files."""
        done, different = 0, 0
        while done < times:
            place = self.untouched.copy(self.root / f"{name}{done}")
            if MAP_FAULTS[name](MapAttempt(place, moments, self.seconds)):
                before = len(place.complete_sheets())
                finish(place)
                wrong = differences(self.expected, place.results())
                done, different = done + 1, different + len(wrong)
                print(f"{name} {done}: {before} sheets were complete; {len(wrong)} differences {wrong[:3]}", flush=True)
            shutil.rmtree(place.folder)
        print(f"{name}: {done} injections, {different} differences", flush=True)
        return different


def finish(place: MapRegion) -> None:
    """Map what is missing, which has to succeed; at the second time where sheets have been found incomplete."""
    process = place.start()
    process.join()
    if process.exitcode and "whose maps are missing or incomplete" in (place.folder / "log").read_text():
        process = place.start()
        process.join()
    if process.exitcode:
        sys.exit(f"exit code {process.exitcode} in {place.folder}:\n{(place.folder / 'log').read_text()[-3000:]}")


if __name__ == "__main__":
    sys.exit(main())

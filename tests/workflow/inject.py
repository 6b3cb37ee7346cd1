"""Inject faults into the workflow at random moments, and compare the results with those of an unbroken run.

``python tests/workflow/inject.py kill truncated-state --times 5``, or of a region's mapping ``--map kill lost-image``

A kill comes at any moment of the whole workflow, other faults while trainings run on tiles that are prepared. After
each the workflow is brought to its end as its user would do it, by Snakemake's own retries or by
``workflow/resume.py``, which is what ``make resume`` runs. All results but logs and timings are compared byte for byte.
Exit code 1 on any difference.
"""

import argparse
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))
from mtlaerial.config import merge
from support.map_workplace import MAP_FAULTS, RULE, TARGETS, map_workplace
from support.workflow_faults import FAULTS, Attempt, Fault
from support.workplace import TINY, Workplace, differences

SAID = re.compile(
    r"^(?:Asked to end.*|state kept.*|going on after.*|.*left aside|Starting from.*|.*: found .*)$", re.MULTILINE
)
"""Messages of trainings on a fault."""


def main() -> int:
    """Inject the faults asked for; print the outcome of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faults", nargs="+", choices=dict.fromkeys([*FAULTS, *MAP_FAULTS]))
    parser.add_argument("--map", action="store_true", help="into the mapping of a region")
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--overlay", type=Path, default=TINY)
    parser.add_argument("--epochs", type=int, help="of each training; by default as the overlay says")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    parser.add_argument("--folder", type=Path, help="where to work; by default a temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = options.folder or Path(temporary)
        overlay = yaml.safe_load(options.overlay.read_text())
        training = {"epochs": options.epochs} if options.epochs else {}
        (root / "overlay.yaml").write_text(yaml.safe_dump(merge(overlay, {"training": training})))
        unbroken: Unbroken = UnbrokenMap(root) if options.map else Unbroken(root)
        wrong = [unbroken.compare(name, options.times, random.Random(options.seed)) for name in options.faults]
    return int(any(wrong))


class Unbroken:
    """A workflow that ran without a fault, and its results, which broken ones are compared with."""

    faults, rule, targets = FAULTS, "train", ()

    def __init__(self, root: Path) -> None:
        self.root = root
        self.untouched = self.built(root / "untouched")
        place = self.untouched.copy(root / "unbroken")
        began = time.monotonic()
        finish(place, place.start(*self.targets))
        self.seconds = time.monotonic() - began
        times = [pd.read_csv(path, sep="\t")["s"][0] for path in place.folder.rglob(f"{self.rule}/*.tsv")]
        self.job, self.expected = min(times), place.results()
        self.prepared = self.prepare(place)
        print(f"unbroken: {self.seconds:.1f} s, of it {self.job:.1f} s per job; {len(self.expected)} files", flush=True)

    def built(self, folder: Path) -> Workplace:
        """Return the workflow before it runs."""
        return Workplace(folder, self.root / "overlay.yaml")

    def prepare(self, place: Workplace) -> Workplace:
        """Return a copy of the finished workflow with prepared tiles alone."""
        prepared = place.copy(self.root / "prepared")
        results = prepared.folder / "results"
        for path in (*results.glob("*/runs"), results / "tables", results / "figures"):
            shutil.rmtree(path)
        (results / "report.html").unlink()
        return prepared

    def compare(self, name: str, times: int, moments: random.Random) -> int:
        """Inject a fault so many times, each into a workflow of its own; return the number of different results."""
        done, different = 0, 0
        while done < times:
            start = self.untouched if name == "kill" else self.prepared
            place = start.copy(self.root / f"{name}{done}")
            wrong = self._inject(self.faults[name], place, moments)
            if wrong is not None:
                done, different = done + 1, different + len(wrong)
                print(
                    f"{name} {done}: {len(wrong)} differences {' '.join(wrong)}", *said(place), sep="\n  ", flush=True
                )
            place.remove()
        print(f"{name}: {done} injections, {different} differences", flush=True)
        return different

    def _inject(self, fault: Fault, place: Workplace, moments: random.Random) -> list[str] | None:
        """Return the results that differ; None where the workflow had ended before anything could happen."""
        attempt = Attempt(place, moments, self.seconds, self.job, self.rule, self.targets)
        happened = fault(attempt)
        finish(place, attempt.snakemake)
        return differences(self.expected, place.results()) if happened else None


class UnbrokenMap(Unbroken):
    """The mapping of a region that ran without a fault."""

    faults, rule, targets = MAP_FAULTS, RULE, TARGETS

    def built(self, folder: Path) -> Workplace:
        """Return the workflow with images and a run."""
        return map_workplace(folder, self.root)

    def prepare(self, place: Workplace) -> Workplace:
        """Return the workflow as it is: nothing comes before its jobs."""
        return self.untouched


def finish(place: Workplace, snakemake: subprocess.Popen[bytes]) -> None:
    """Wait for the end, which has to be a good one."""
    if snakemake.wait() != 0:
        log = (place.folder / "snakemake.log").read_text()
        sys.exit(f"Snakemake ended with exit code {snakemake.returncode} in {place.folder}:\n{log[-5000:]}")


def said(place: Workplace) -> list[str]:
    """Return the trainings' messages on a fault, each line once."""
    return list(dict.fromkeys(SAID.findall((place.folder / "snakemake.log").read_text())))


if __name__ == "__main__":
    sys.exit(main())

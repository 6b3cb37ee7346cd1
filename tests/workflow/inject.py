"""Inject faults into the workflow at random moments, and compare the results with those of an unbroken run.

``python tests/workflow/inject.py kill truncated-state --times 5``

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
from support.workflow_faults import FAULTS, Attempt, Fault
from support.workplace import TINY, Workplace, differences

SAID = re.compile(
    r"^(?:Asked to end.*|state kept.*|going on after.*|.*left aside|Starting from.*|.*: found .*)$", re.MULTILINE
)
"""Messages of trainings on a fault."""


def main() -> int:
    """Inject the faults asked for; print the outcome of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faults", nargs="+", choices=FAULTS)
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
        unbroken = Unbroken(root)
        wrong = [unbroken.compare(name, options.times, random.Random(options.seed)) for name in options.faults]
    return int(any(wrong))


class Unbroken:
    """A workflow that ran without a fault, and its results, which broken ones are compared with."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.untouched = Workplace(root / "untouched", root / "overlay.yaml")
        place = self.untouched.copy(root / "unbroken")
        began = time.monotonic()
        finish(place, place.start())
        self.seconds = time.monotonic() - began
        times = [pd.read_csv(path, sep="\t")["s"][0] for path in place.folder.rglob("benchmarks/*/train/*.tsv")]
        self.training, self.expected = min(times), place.results()
        self.prepared = place.copy(root / "prepared")
        results = self.prepared.folder / "results"
        for path in (*results.glob("*/runs"), results / "tables", results / "figures"):
            shutil.rmtree(path)
        (results / "report.html").unlink()
        print(f"unbroken: {self.seconds:.1f} s, of it {self.training:.1f} s per training; {len(self.expected)} files")

    def compare(self, name: str, times: int, moments: random.Random) -> int:
        """Inject a fault so many times, each into a workflow of its own; return the number of different results."""
        done, different = 0, 0
        while done < times:
            start = self.untouched if name == "kill" else self.prepared
            place = start.copy(self.root / f"{name}{done}")
            wrong = self._inject(FAULTS[name], place, moments)
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
        attempt = Attempt(place, moments, self.seconds, self.training)
        happened = fault(attempt)
        finish(place, attempt.snakemake)
        return differences(self.expected, place.results()) if happened else None


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

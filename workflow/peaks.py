"""Tell a cluster what the jobs of a finished run took: a block ``set-resources`` for your own profile.

``python workflow/peaks.py results >> MY_CLUSTER/profile.yaml`` reads ``results/benchmarks``. The largest peak of memory
and the longest time of each rule's jobs are given with head room; memory grows with each further attempt. Times are
those of the machine that it ran on, and of the last attempt alone.
"""

import csv
import math
import sys
from pathlib import Path

import yaml

RULES = {path.stem for path in Path(__file__).with_name("scripts").glob("*.py")}
"""A rule is named as its script."""
MEMORY = 1.5
"""Times the peak; of real data of the same kind, tiles differ."""
TIME = 3.0
"""Times the longest; nodes differ, and are shared."""
SNAKEMAKE = 400
"""Megabytes: a cluster's job runs within two Snakemakes, which are not among what was measured."""
LEAST = 10
"""Minutes; asking for less gains nothing."""
Peak = tuple[float, float]
"""Megabytes, seconds."""


def peaks(folder: Path) -> dict[str, Peak]:
    """Return each rule's largest memory (MB) and longest time (s) of the benchmark files below a folder."""
    found: dict[str, Peak] = {}
    for path in sorted(folder.rglob("*.tsv")):
        rule = next((part for part in path.relative_to(folder).with_suffix("").parts if part in RULES), None)
        if rule is None:
            continue
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                known, measured = found.get(rule, (0.0, 0.0)), (_number(row["max_rss"]), _number(row["s"]))
                found[rule] = max(known[0], measured[0]), max(known[1], measured[1])
    return found


def _number(text: str) -> float:
    """Return a measured number; that of a job too short to be looked at is ``NA``."""
    return 0.0 if text in ("NA", "-") else float(text)


def resources(found: dict[str, Peak]) -> dict[str, dict[str, int | str]]:
    """Return what to ask for: megabytes as an expression of Snakemake's, and minutes."""
    asked: dict[str, dict[str, int | str]] = {}
    for rule, (megabytes, seconds) in sorted(found.items()):
        memory = 100 * math.ceil((MEMORY * megabytes + SNAKEMAKE) / 100)
        minutes = max(LEAST, math.ceil(TIME * seconds / 60))
        asked[rule] = {"mem_mb": f"{memory} * attempt", "runtime": minutes}
    return asked


def main(arguments: list[str]) -> int:
    """Print the block, or say what is missing."""
    folder = Path(arguments[0] if arguments else "results") / "benchmarks"
    if not (found := peaks(folder)):
        print(f"{folder}: found no benchmarks. Give the folder of a finished run's results.", file=sys.stderr)
        return 1
    print(f"# From {folder}: peaks in MB x {MEMORY:g} + {SNAKEMAKE}, and in minutes x {TIME:g}.")
    print(yaml.safe_dump({"set-resources": resources(found)}, sort_keys=False), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

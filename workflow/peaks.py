"""TileStatistics memory and time of a finished run, as a block ``set-resources`` for the profile of a cluster.

``python workflow/peaks.py results >> MY_CLUSTER/profile.yaml`` reads ``results/benchmarks``. The largest peak of memory
and the longest time of each rule's jobs are given with head room; memory grows with each further attempt. Times are
those of the machine of the run, and of the last attempt alone.
"""

import csv
import math
import sys
from pathlib import Path

import yaml

RULES = {path.stem for path in Path(__file__).with_name("scripts").glob("*.py")}
"""Names of the rules: those of their scripts."""
MEMORY = 1.5
"""Factor of the peak; tiles of real data differ."""
TIME = 3.0
"""Factor of the longest time; nodes differ, and are shared."""
SNAKEMAKE = 400
"""Megabytes of the two Snakemake processes around a job on a cluster, which benchmarks do not include."""
LEAST = 10
"""Shortest runtime to request, in minutes."""
Peak = tuple[float, float]
"""Megabytes, seconds."""


def peaks(folder: Path) -> dict[str, Peak]:
    """Return each rule's largest memory (MB) and longest time (s) of the benchmark files below a folder."""
    largest: dict[str, Peak] = {}
    for path in sorted(folder.rglob("*.tsv")):
        rule = next((part for part in path.relative_to(folder).with_suffix("").parts if part in RULES), None)
        if rule is None:
            continue
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                memory, time = largest.get(rule, (0.0, 0.0))
                largest[rule] = max(memory, _number(row["max_rss"])), max(time, _number(row["s"]))
    return largest


def _number(text: str) -> float:
    """Return a measured number; 0 for ``NA``, of jobs too short to be sampled."""
    return 0.0 if text in ("NA", "-") else float(text)


def resources(measured: dict[str, Peak]) -> dict[str, dict[str, int | str]]:
    """Return the resources to request per rule: megabytes as an expression for Snakemake, and minutes."""
    requested: dict[str, dict[str, int | str]] = {}
    for rule, (megabytes, seconds) in sorted(measured.items()):
        memory = 100 * math.ceil((MEMORY * megabytes + SNAKEMAKE) / 100)
        minutes = max(LEAST, math.ceil(TIME * seconds / 60))
        requested[rule] = {"mem_mb": f"{memory} * attempt", "runtime": minutes}
    return requested


def main(arguments: list[str]) -> int:
    """Print the block; return 1 if there are no benchmarks."""
    folder = Path(arguments[0] if arguments else "results") / "benchmarks"
    if not (measured := peaks(folder)):
        print(f"{folder}: found no benchmarks. Give the folder of a finished run's results.", file=sys.stderr)
        return 1
    print(f"# From {folder}: peaks in MB x {MEMORY:g} + {SNAKEMAKE}, and in minutes x {TIME:g}.")
    print(yaml.safe_dump({"set-resources": resources(measured)}, sort_keys=False), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

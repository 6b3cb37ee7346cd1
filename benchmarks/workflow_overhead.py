"""Overhead of the workflow: the share of its time without training or prediction, and its causes.

The workflow runs from nothing in a temporary folder. The share of learning is the part of the time from Snakemake's
start to its end in which at least one training or prediction runs, interpreter included. The start of each rule's
interpreter is measured separately: the imports of the script and of Snakemake's preamble, with nothing else running.

    python benchmarks/workflow_overhead.py [--overlay config/demo.yaml] [--cores 2] [--json FILE]
"""

import argparse
import ast
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from record import median_seconds, save

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "workflow" / "scripts"
LEARNING = ("train", "predict")
PREAMBLE = "from snakemake import script"
SHOWN = 4
"""Number of packages listed, of those with the longest import."""


class Job(NamedTuple):
    """A finished job: its rule, its start in seconds since 1970, and its seconds."""

    rule: str
    begun: float
    seconds: float


def main() -> None:
    """Run the workflow, measure the imports, and print both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--overlay", type=Path, default=ROOT / "config" / "demo.yaml")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        begun, wall = run(Path(folder), options.overlay, options.cores)
        jobs = finished(Path(folder))
    rows = [row | startup(SCRIPTS / f"{row['rule']}.py") for row in by_rule(jobs)]
    print(pd.DataFrame(rows).to_string(index=False, float_format="%.2f"))
    learning = [job for job in jobs if job.rule in LEARNING]
    shares = {
        "wall_seconds": wall,
        "learning_share": covered(learning) / wall,
        "share_with_any_job": covered(jobs) / wall,
        "seconds_before_the_first_job": min(job.begun for job in jobs) - begun,
    }
    print("\n".join(f"{name}: {value:.3f}" for name, value in shares.items()))
    save(options.json, "workflow_overhead", rows, cores=options.cores, **shares)


def run(folder: Path, overlay: Path, cores: int) -> tuple[float, float]:
    """Run the workflow in a folder; return its start in seconds since 1970, and its seconds."""
    for name in ("workflow", "config", "profiles"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "Snakefile", folder)
    shutil.copy(overlay, folder / "overlay.yaml")
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--configfile", "config/config.yaml"]
    begun = time.time()
    subprocess.run([*command, "overlay.yaml"], cwd=folder, check=True)
    return begun, time.time() - begun


def finished(folder: Path) -> list[Job]:
    """Return the jobs that Snakemake recorded."""
    began: dict[tuple[str, str], float] = {}
    for path in (folder / ".snakemake" / "metadata").rglob("*"):
        if path.is_file():
            record = json.loads(path.read_text(encoding="utf-8"))
            began[record["rule"], record["log"][0]] = record["starttime"]
    return [Job(rule, start, _seconds(folder, log)) for (rule, log), start in began.items()]


def _seconds(folder: Path, log: str) -> float:
    # Each rule's benchmark file has the path of its log, but for folder and suffix.
    measured = folder / Path(log.replace("/logs/", "/benchmarks/", 1)).with_suffix(".tsv")
    return float(pd.read_csv(measured, sep="\t")["s"].iloc[0])


def by_rule(jobs: Iterable[Job]) -> list[dict[str, Any]]:
    """Return the number of jobs and their seconds for each rule, the longest first."""
    table = pd.DataFrame(jobs).groupby("rule")["seconds"].agg(["size", "sum"]).sort_values("sum", ascending=False)
    return [{"rule": rule, "jobs": int(size), "seconds": float(total)} for rule, size, total in table.itertuples()]


def covered(jobs: Iterable[Job]) -> float:
    """Return the seconds in which at least one of the jobs runs."""
    total, end = 0.0, float("-inf")
    for job in sorted(jobs, key=lambda job: job.begun):
        total += max(0.0, job.begun + job.seconds - max(job.begun, end))
        end = max(end, job.begun + job.seconds)
    return total


def startup(script: Path) -> dict[str, Any]:
    """Return the seconds of the start of a script's interpreter, and the packages that take most of them."""
    nodes = ast.walk(ast.parse(script.read_text(encoding="utf-8")))
    imports = [ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    command = [sys.executable, "-X", "importtime", "-c", "\n".join([PREAMBLE, *imports])]
    importtime = subprocess.run(command, cwd=SCRIPTS, capture_output=True, text=True, check=True).stderr
    seconds = median_seconds(lambda: subprocess.run([command[0], *command[3:]], cwd=SCRIPTS, check=True), runs=3)
    named = (f"{name} {spent:.2f}" for name, spent in _by_package(importtime).most_common(SHOWN))
    return {"startup": seconds, "packages": ", ".join(named)}


def _by_package(importtime: str) -> Counter[str]:
    """Return the self time of each package's modules in seconds, from the output of ``-X importtime``."""
    seconds: Counter[str] = Counter()
    for line in importtime.splitlines()[1:]:
        microseconds, _, module = line.removeprefix("import time:").split("|")
        seconds[module.strip().partition(".")[0]] += int(microseconds) / 1e6
    return seconds


if __name__ == "__main__":
    main()

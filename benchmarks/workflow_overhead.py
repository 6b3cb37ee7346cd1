"""How much of the workflow's time is training and predicting, and where the rest goes.

The workflow runs from nothing in a temporary folder. The share is that of the time from Snakemake's start to its end in
which at least one training or prediction runs, interpreter included. What the interpreters of each rule take to begin
is measured apart: the imports of the rule's script and of what Snakemake puts before it, with nothing else running.

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
"""Packages that are named, of those that take longest to import."""


class Job(NamedTuple):
    """A finished job: when it began, in seconds since 1970, and how many seconds it took."""

    rule: str
    begun: float
    seconds: float


def main() -> None:
    """Measure the imports, run the workflow, print both."""
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
    told = {
        "wall_seconds": wall,
        "learning_share": covered(job for job in jobs if job.rule in LEARNING) / wall,
        "share_with_any_job": covered(jobs) / wall,
        "seconds_before_the_first_job": min(job.begun for job in jobs) - begun,
    }
    print("\n".join(f"{name}: {value:.3f}" for name, value in told.items()))
    save(options.json, "workflow_overhead", rows, cores=options.cores, **told)


def run(folder: Path, overlay: Path, cores: int) -> tuple[float, float]:
    """Run the workflow in a folder; return when it began, in seconds since 1970, and the seconds it took."""
    for name in ("workflow", "config", "profiles"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "Snakefile", folder)
    shutil.copy(overlay, folder / "overlay.yaml")
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--configfile", "config/config.yaml"]
    begun = time.time()
    subprocess.run([*command, "overlay.yaml"], cwd=folder, check=True)
    return begun, time.time() - begun


def finished(folder: Path) -> list[Job]:
    """Return the jobs that Snakemake recorded; each has a benchmark file where another suffix would make it a log."""
    began: dict[tuple[str, str], float] = {}
    for path in (folder / ".snakemake" / "metadata").rglob("*"):
        if path.is_file():
            record = json.loads(path.read_text(encoding="utf-8"))
            began[record["rule"], record["log"][0]] = record["starttime"]
    return [Job(rule, start, _seconds(folder, log)) for (rule, log), start in began.items()]


def _seconds(folder: Path, log: str) -> float:
    measured = folder / Path(log.replace("/logs/", "/benchmarks/", 1)).with_suffix(".tsv")
    return float(pd.read_csv(measured, sep="\t")["s"].iloc[0])


def by_rule(jobs: Iterable[Job]) -> list[dict[str, Any]]:
    """Return, for each rule, the number of its jobs and their seconds; the longest first."""
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
    """Return the seconds in which a script's interpreter begins, and the packages that take most of them."""
    nodes = ast.walk(ast.parse(script.read_text(encoding="utf-8")))
    imports = [ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    command = [sys.executable, "-X", "importtime", "-c", "\n".join([PREAMBLE, *imports])]
    told = subprocess.run(command, cwd=SCRIPTS, capture_output=True, text=True, check=True).stderr
    seconds = median_seconds(lambda: subprocess.run([command[0], *command[3:]], cwd=SCRIPTS, check=True), runs=3)
    named = (f"{name} {spent:.2f}" for name, spent in _by_package(told).most_common(SHOWN))
    return {"startup": seconds, "packages": ", ".join(named)}


def _by_package(importtime: str) -> Counter[str]:
    """Return the seconds that the modules of each package take by themselves, from what ``-X importtime`` says."""
    found: Counter[str] = Counter()
    for line in importtime.splitlines()[1:]:
        own, _, module = line.removeprefix("import time:").split("|")
        found[module.strip().partition(".")[0]] += int(own) / 1e6
    return found


if __name__ == "__main__":
    main()

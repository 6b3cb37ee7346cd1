"""Cost of a region of many sheets that a network maps which does nothing: planning, memory, jobs, overhead of a sheet.

The region has square sheets of 32 pixels, far smaller than a user's, so that what is measured is what a sheet costs
besides its pixels: its maps, styles and STAC Item are written as always. Images are to the sheets as squares of 10,000
pixels are to sheets of 4,096. Planning is compared with that of 2,000 jobs of one output each, in turns: of the same
workflow with as many sheets, and of a workflow that has nothing else.
The jobs that are run hold more sheets than those that are planned, as each takes seconds to begin.

    python benchmarks/scale.py [--sheets 100000] [--jobs 100] [--cores 2] [--folder DIR] [--json FILE]

All data are generated. CPU times are those of processes with their children.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil
import rasterio
import yaml
from affine import Affine
from predict_memory import write_run
from record import save

ROOT = Path(__file__).parents[1]
SHEET, IMAGE, GSD = 32, 80, 0.5
"""Sides of sheets and images in pixels, and metres of a pixel."""
PLAIN_JOBS, PLANNED_JOBS = 2_000, 1_900
FEW = 45
"""Sheets along a side of a region that has some 2,000."""
ROUNDS = 3
LIMITS = ("ge=512, le=65_536, multiple_of=512", f"ge={SHEET}, le=65_536, multiple_of={SHEET}")
"""Accepted sides of sheets, and those in the copy of the package."""
NOTHING = """\
import json, time, torch
from pathlib import Path
from mtlaerial.prediction.map_network import MapNetwork
from mtlaerial.regions.sheet_maps import SheetMapper
MapNetwork.means = lambda self, windows: {
    task: torch.zeros(len(windows), count, *windows.shape[2:]) for task, count in self.outputs.items()
}
_map = SheetMapper.map
def _timed(self, sheets):
    wall, cpu = time.perf_counter(), time.process_time()
    failures = _map(self, sheets)
    seconds = [len(sheets), time.perf_counter() - wall, time.process_time() - cpu]
    Path("times", f"{sheets[0].name}.json").write_text(json.dumps(seconds))
    return failures
SheetMapper.map = _timed
"""
"""Put before the script that maps sheets: a network that does nothing, and the time that a job's sheets take."""
PLAIN = """\
rule all:
    input: expand("done/{{number}}", number=range({jobs}))
rule one:
    output: "done/{{number}}"
    shell: "touch {{output}}"
"""


class Usage(NamedTuple):
    """Seconds by the clock and of CPU, peak memory of Snakemake's own process in MB, and output of a command."""

    wall: float
    cpu: float
    peak_mb: float
    output: str


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sheets", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=100, help="that map the sheets")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="an empty folder to work in; by default a temporary one")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        rows = measured(folder, options.sheets, options.jobs, options.cores)
    width = max(len(row["what"]) for row in rows)
    for row in rows:
        print(f"{row['what']:<{width}}  {row['value']:,.4g} {row['unit']}")
    save(options.json, "scale", rows, sheets=options.sheets, cores=options.cores)


def measured(folder: Path, sheets: int, jobs: int, cores: int) -> list[dict[str, Any]]:
    """Return the figures of a region of so many sheets."""
    side = round(sheets**0.5)
    images = build(folder, side)
    build(folder / "few", FEW)
    plan(folder / "few", 1)
    few, many = -(-(side**2) // PLANNED_JOBS), -(-(side**2) // jobs)
    first = plan(folder, few)
    rounds = [(plan(folder, few), plan(folder / "few", 1), plain_plan(folder)) for _ in range(ROUNDS)]
    kept, of_few, plain = (statistics.median(use.cpu for use in uses) for uses in zip(*rounds, strict=True))
    run = snakemake(folder, "map", "--cores", str(cores), "--configfile", *configurations(folder, many))
    again = snakemake(folder, "map", "--cores", str(cores), "--configfile", *configurations(folder, many))
    times = np.array([json.loads(path.read_text()) for path in (folder / "times").iterdir()])
    mapped, map_wall, map_cpu = times.sum(axis=0)
    assert mapped == side**2, f"{mapped} sheets are mapped"
    assert "Nothing to be done" in again.output, again.output[-2000:]
    values = [
        ("sheets", side**2, ""),
        ("images", images, ""),
        ("jobs of the plan", planned_jobs(first.output), ""),
        ("first plan, which reads the images: CPU time", first.cpu, "s"),
        ("later plan: CPU time", kept, "s"),
        (f"plan of {FEW**2} sheets in jobs of one: CPU time", of_few, "s"),
        ("ratio to it", kept / of_few, ""),
        (f"plan of {PLAIN_JOBS} jobs of one output, nothing else: CPU time", plain, "s"),
        ("ratio to it", kept / plain, ""),
        ("peak memory of Snakemake, first plan", first.peak_mb, "MB"),
        ("peak memory of Snakemake, later plan", max(uses[0].peak_mb for uses in rounds), "MB"),
        ("peak memory of Snakemake, mapping", run.peak_mb, "MB"),
        ("jobs of the run", len(times), ""),
        ("a sheet in its job: CPU time", map_cpu / mapped * 1e3, "ms"),
        ("a sheet in its job: clock", map_wall / mapped * 1e3, "ms"),
        ("a job besides its sheets, with the index: CPU time", (run.cpu - map_cpu) / len(times), "s"),
        ("whole run: clock", run.wall, "s"),
        ("second run, which finds nothing to do: CPU time", again.cpu, "s"),
        ("size of the plan", (folder / "results/map/region.json").stat().st_size / 1e6, "MB"),
    ]
    return [{"what": what, "value": float(value), "unit": unit} for what, value, unit in values]


def build(folder: Path, side: int) -> int:
    """Write the workflow, an untrained run and images of so many sheets squared; return the number of images."""
    for name in ("workflow", "config", "profiles", "src"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    shutil.copy(ROOT / "Snakefile", folder)
    mapping = folder / "src/mtlaerial/config/mapping.py"
    text = mapping.read_text(encoding="utf-8")
    assert LIMITS[0] in text
    mapping.write_text(text.replace(*LIMITS), encoding="utf-8")
    script = folder / "workflow/scripts/map_sheets.py"
    script.write_text(NOTHING + script.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "times").mkdir()
    (folder / "plain").mkdir()
    (folder / "plain/Snakefile").write_text(PLAIN.format(jobs=PLAIN_JOBS), encoding="utf-8")
    write_run(folder / "run", gsd=GSD)
    return write_images(folder / "images", side * SHEET)


def write_images(folder: Path, size: int) -> int:
    """Write images that cover a square of so many pixels; return their number."""
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(60, 200, (3, IMAGE, IMAGE)).astype(np.uint8)
    starts = range(0, size, IMAGE)
    for row in starts:
        for column in starts:
            rows, columns = min(IMAGE, size - row), min(IMAGE, size - column)
            place = Affine(GSD, 0, 500_000 + column * GSD, 0, -GSD, 5_400_000 - row * GSD)
            profile = {"driver": "GTiff", "count": 3, "dtype": "uint8", "crs": "EPSG:32631", "transform": place}
            path = folder / f"r{row:06d}_c{column:06d}.tif"
            with rasterio.open(path, "w", height=rows, width=columns, **profile) as out:
                out.write(pixels[:, :rows, :columns])
    return len(starts) ** 2


def configurations(folder: Path, sheets_per_job: int) -> Sequence[str]:
    """Return the configuration files of a region whose jobs have so many sheets."""
    section = {
        "run": "run",
        "images": ["images"],
        "sheet": SHEET,
        "sheets_per_job": sheets_per_job,
        "prediction": {"blend": "even", "window": SHEET, "stride": SHEET, "threads": 1, "batch": 1},
    }
    (folder / "map.yaml").write_text(yaml.safe_dump({"map": section}), encoding="utf-8")
    return "config/config.yaml", "map.yaml"


def plan(folder: Path, sheets_per_job: int) -> Usage:
    """Plan the region."""
    return snakemake(folder, "map", "--dry-run", "--configfile", *configurations(folder, sheets_per_job))


def plain_plan(folder: Path) -> Usage:
    """Plan jobs of one output each."""
    return snakemake(folder / "plain", "--dry-run")


def planned_jobs(output: str) -> int:
    """Return the number of jobs that a dry run states."""
    totals = [line.split() for line in output.splitlines() if line.startswith("total")]
    return int(totals[-1][1])


def snakemake(folder: Path, *arguments: str) -> Usage:
    """Run Snakemake in a folder, and wait for its good end."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    begun, peak = time.perf_counter(), 0
    with (folder / "snakemake.log").open("w+", encoding="utf-8") as log:
        command = [sys.executable, "-m", "snakemake", *arguments]
        child = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        process = psutil.Process(child.pid)
        while (ended := os.wait4(child.pid, os.WNOHANG))[0] == 0:
            peak = max(peak, process.memory_info().rss)
            time.sleep(0.05)
        wall = time.perf_counter() - begun
        log.seek(0)
        output = log.read()
    _, status, used = ended
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"Snakemake ended with exit code {child.returncode} in {folder}:\n{output[-5000:]}")
    return Usage(wall, used.ru_utime + used.ru_stime, peak / 2**20, output)


if __name__ == "__main__":
    main()

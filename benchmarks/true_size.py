"""The whole workflow on both data sets at their true sizes: time, memory and disk of each stage.

Data are generated (21 GB with all results), the network is small. Run from the project's folder:

    python benchmarks/true_size.py [--cores 2] [--json FILE]

Also measures the peak memory of preparing one DFC2018 tile above that of the process at rest.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import psutil
import yaml
from apart import alone
from record import save

from mtlaerial.system.memory import peak_process_memory_mb

OVERLAY = Path(__file__).with_name("true_size.yaml")
CONFIG = ["config/config.yaml", str(OVERLAY)]


def main() -> None:
    """Run the workflow, then print time, memory and disk."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    command = [sys.executable, "-m", "snakemake", "--cores", str(options.cores), "--configfile", *CONFIG]
    subprocess.run(command, check=True)
    results = Path(yaml.safe_load(OVERLAY.read_text())["results"])
    jobs = stages(results / "benchmarks")
    print(jobs.to_string(index=False, float_format="%.0f"))
    with alone() as pool:
        above = pool.submit(memory_of_preparing).result()
    print(f"preparing one DFC2018 tile: {above:.0f} MB above rest")
    sizes = {str(path): disk(path) for path in folders(results)}
    print("\n".join(f"{path}: {size:.2f} GB" for path, size in sizes.items()))
    save(options.json, "true_size", jobs.to_dict("records"), prepare_above_rest_mb=above, disk_gb=sizes)


def stages(folder: Path) -> pd.DataFrame:
    """Return the number of jobs, their seconds and their peak memory for each data set and rule."""
    rows = []
    for path in sorted(folder.rglob("*.tsv")):
        parts = path.relative_to(folder).with_suffix("").parts
        dataset, rule = (parts[0], parts[1]) if len(parts) > 1 else ("all", parts[0])
        if parts[0] == "synthesise":
            dataset, rule = parts[-1], "synthesise"
        job = pd.read_csv(path, sep="\t").iloc[0]
        rows.append({"dataset": dataset, "rule": rule, "seconds": job["s"], "peak_mb": job["max_rss"]})
    groups = pd.DataFrame(rows).groupby(["dataset", "rule"], sort=False)
    named = {"jobs": ("seconds", "size"), "seconds": ("seconds", "sum"), "longest": ("seconds", "max")}
    return groups.agg(**named, peak_mb=("peak_mb", "max")).reset_index()


def memory_of_preparing() -> float:
    """Prepare one tile again; return the peak memory above that at rest, in megabytes."""
    from mtlaerial.config import merge, read_yaml
    from mtlaerial.pipeline.project import Project
    from mtlaerial.tiles.prepare import prepare_tile

    dataset = Project.of(merge({}, *(read_yaml(Path(path)) for path in CONFIG))).datasets["dfc2018"]
    rest = psutil.Process().memory_info().rss
    with tempfile.TemporaryDirectory(dir=dataset.root) as folder:
        prepare_tile(dataset, dataset.spec.tiles[0], Path(folder) / "tile")
    return peak_process_memory_mb() - rest / 2**20


def folders(results: Path) -> list[Path]:
    """Return the folders whose sizes are reported."""
    datasets = yaml.safe_load(OVERLAY.read_text())["datasets"]
    raw = [Path(entry["root"]) for entry in datasets.values()]
    return [*raw, *(results / name / part for name in datasets for part in ("tiles", "runs")), results]


def disk(folder: Path) -> float:
    """Return the size of a folder's files in gigabytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e9


if __name__ == "__main__":
    main()

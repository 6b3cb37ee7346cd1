"""Imports of the workflow's short steps: no slow package that the step does not use."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.without_torch import needs_torch

HEAVY = {"torch", "pandas", "geopandas", "matplotlib", "scipy.stats", "cvxpy"}
"""Packages whose import takes a third of a second or more."""
USED: dict[str, set[str]] = {
    "mtlaerial.pipeline.context_params": set(),
    "mtlaerial.pipeline.decisive_params": set(),
    "mtlaerial.synthetic.generate": set(),
    "mtlaerial.datasets.check": set(),
    "mtlaerial.tiles.prepare": set(),
    "mtlaerial.runs.run": set(),
    "mtlaerial.runs.status": set(),
    "mtlaerial.runs.code_hash": set(),
    "mtlaerial.system.gpu_locks": set(),
    "mtlaerial.pipeline.launch": set(),
    "mtlaerial.training.train": {"torch", "pandas"},
    "mtlaerial.scoring.scores": set(),
    "mtlaerial.scoring.scores_file": set(),
    "mtlaerial.reporting.report": {"pandas", "matplotlib"},
}
"""Slow packages that a step uses, by the module it begins with; the report imports tables and figures too."""
ROOMS = (
    "accuracy", "calibration", "cli", "config", "datasets", "figures", "maps", "objects", "rasters", "reporting",
    "scoring", "synthetic", "system",
)  # fmt: skip
"""Rooms of which no module needs torch."""
IN_ROOMS = """
import importlib, pkgutil, sys
for room in sys.argv[1:]:
    package = importlib.import_module(f"mtlaerial.{room}")
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
print(*sys.modules)
"""


@pytest.mark.full("imports half of the package")
def test_rooms_without_networks_need_no_torch() -> None:
    command = [sys.executable, "-c", IN_ROOMS, *ROOMS]
    modules = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert len([name for name in modules if name.startswith("mtlaerial.")]) > 300
    assert "torch" not in modules


@pytest.mark.quick_cases(3, "a process a module")
@pytest.mark.parametrize(
    "module", [pytest.param(name, marks=[needs_torch] if "torch" in used else []) for name, used in USED.items()]
)
def test_nothing_heavy_that_is_not_used(module: str) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY.intersection(done.stdout.split()) <= USED[module]


def test_descriptions_are_read_without_packages_for_rasters() -> None:
    """All jobs and many commands read them: a quarter of a second each."""
    code = "import sys, mtlaerial.runs.run; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"rasterio", "shapely", "pyproj"}.intersection(done.stdout.split())


def test_descriptions_are_read_without_torch(run_folder: Path) -> None:
    """Also while they are made again from the header of the weights."""
    code = f"""
import sys
from pathlib import Path
from mtlaerial.runs.run import load_description, save_description
run = load_description(Path({str(run_folder)!r}))
save_description(Path({str(run_folder)!r}), run.plan, run.statistics)
assert run == load_description(Path({str(run_folder)!r}))
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "torch" not in done.stdout.split()

"""Profiles: attempts of jobs, combination with a user's profile, and the resources that ``peaks.py`` writes."""

import re
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest
import yaml

from support.paths import ROOT
from support.workplace import Workplace

pytestmark = pytest.mark.workflow
MINE = {
    "default-resources": {"slurm_account": "geo", "slurm_partition": "gpus"},
    "set-resources": {"train": {"runtime": 60}},
}
HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
WEIGHTS = "results/town/runs/equal/seed0/model.safetensors"


def parsed(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> Namespace:
    from snakemake.cli import parse_args

    monkeypatch.chdir(ROOT)
    return parse_args(list(arguments))[1]


def test_a_users_profile_is_combined_with_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "profile.yaml").write_text(yaml.safe_dump(MINE))
    settings = parsed("--workflow-profile", "profiles/slurm", "--profile", str(tmp_path), monkeypatch=monkeypatch)
    assert (settings.executor, settings.slurm_requeue, settings.retries) == ("slurm", True, 3)
    asked = {name: value.raw for name, value in settings.default_resources.items()}
    assert asked["slurm_account"] == "geo"
    assert asked["slurm_partition"] == "gpus"
    assert settings.set_resources["train"]["runtime"].raw == 60


def test_the_profile_of_clusters_has_what_the_default_has() -> None:
    default, slurm = (
        yaml.safe_load((ROOT / "profiles" / name / "profile.yaml").read_text()) for name in ("default", "slurm")
    )
    shared = {key: value for key, value in default.items() if key not in ("retries", "resources")}
    assert shared == {key: slurm.get(key) for key in shared}


def restarts(run: subprocess.CompletedProcess[str]) -> int:
    return run.stdout.count("Trying to restart job")


@pytest.mark.full("real jobs")
def test_a_profile_says_how_often_a_training_is_tried(finished: Workplace, tmp_path: Path) -> None:
    place = finished.copy(tmp_path / "place")
    script = place.folder / "workflow/scripts/train.py"
    script.write_text("raise SystemExit(143)\n" + script.read_text())
    profile = place.folder / "profiles/default/profile.yaml"
    profile.write_text(re.sub(r"^retries: 1$", "retries: 2", profile.read_text(), flags=re.MULTILINE))
    assert restarts(place.run(WEIGHTS, "--forcerun", "train")) == 2


@pytest.mark.full("real jobs")
def test_a_failed_check_is_not_repeated(finished: Workplace, tmp_path: Path) -> None:
    place = finished.copy(tmp_path / "place")
    image = place.folder / "datasets/town/images/city_2.tif"
    image.write_bytes(image.read_bytes()[:-2000])
    run = place.run("results/town/checks/city_2.json", "--retries", "3")
    assert run.returncode == 1
    assert "city_2.tif" in run.stdout
    assert restarts(run) == 0


def peaks(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "workflow/peaks.py"), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_peaks(tmp_path: Path) -> None:
    """The largest of each rule's jobs, with head room, as Snakemake reads it in a profile."""
    for name, seconds, megabytes in (
        ("town/train/equal.seed0", "4000.5", "2000.0"),
        ("town/train/height.seed0", "30.0", "2730.5"),
        ("tables", "0.1", "NA"),
        ("synthesise/datasets/town", "60.0", "900.0"),
        ("elsewhere", "60.0", "900.0"),
    ):
        path = tmp_path / "benchmarks" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{HEADER}{seconds}\t0:00:01\t{megabytes}" + "\t0" * 7 + "\n")
    assert yaml.safe_load(peaks(tmp_path).stdout) == {
        "set-resources": {
            "synthesise": {"mem_mb": "1800 * attempt", "runtime": 10},
            "tables": {"mem_mb": "400 * attempt", "runtime": 10},
            "train": {"mem_mb": "4500 * attempt", "runtime": 201},
        }
    }


@pytest.mark.full("real jobs")
def test_peaks_are_taken_by_snakemake(finished: Workplace, tmp_path: Path) -> None:
    """They replace the resources of the rule, and grow with the attempts."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/profile.yaml").write_text(peaks(finished.folder / "results").stdout)
    place = finished.copy(tmp_path / "place")
    script = place.folder / "workflow/scripts/train.py"
    script.write_text('print("given", snakemake.resources.mem_mb)\nraise SystemExit(1)\n')
    run = place.run(WEIGHTS, "--forcerun", "train", "--profile", str(tmp_path / "mine"))
    first, second = map(int, re.findall(r"^given (\d+)$", run.stdout, re.MULTILINE))
    assert second == 2 * first
    assert first < 12000


def test_no_peaks(tmp_path: Path) -> None:
    done = peaks(tmp_path)
    assert done.returncode == 1
    assert (
        done.stderr == f"{tmp_path / 'benchmarks'}: found no benchmarks. Give the folder of a finished run's results.\n"
    )

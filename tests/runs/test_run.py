"""A run's folder: what is saved is loaded, and other folders are told apart."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

import mtlaerial
from mtlaerial.errors import ConfigError
from mtlaerial.runs.loading import load_run
from mtlaerial.runs.plan import fingerprint
from mtlaerial.runs.run import RunDescription, load_description, save_description
from mtlaerial.runs.upgrade import upgrade_run
from mtlaerial.runs.weights import save_run_weights
from mtlaerial.tiles.statistics import Statistics
from support import tiny
from support.described_runs import CPU, PROVENANCE


def test_a_run_is_loaded_as_it_was_saved(saved: Path, statistics: Statistics) -> None:
    run = load_run(saved, CPU)
    sha256 = hashlib.sha256((saved / "model.safetensors").read_bytes()).hexdigest()
    expected = {**PROVENANCE.model_dump(), "sha256": sha256, "plan": tiny.run_plan(), "statistics": statistics}
    assert run.description == RunDescription(**expected)
    assert not run.model.training
    weights, last = (load_file(saved / f"{name}.safetensors") for name in ("model", "last"))
    for key, value in run.model.state_dict().items():
        assert torch.equal(value, weights[key])
        assert torch.equal(value + 1, last[key])


def test_a_description_is_plain_text_with_all_that_a_user_asks(saved: Path) -> None:
    data = yaml.safe_load((saved / "run.yaml").read_text(encoding="utf-8"))
    assert data["mtlaerial"] == mtlaerial.__version__
    assert data["code"] == PROVENANCE.code
    assert data["plan"]["training"]["patch"] == 32
    assert [band["name"] for band in data["statistics"]["bands"]] == ["red", "green", "blue"]
    assert data["statistics"]["classes"][1]["name"] == "building"
    assert set(data["statistics"]["tiles"]) == {"city_1", "city_2"}


def test_the_same_run_is_written_as_the_same_bytes(saved: Path, statistics: Statistics, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    weights, last = (load_file(saved / f"{name}.safetensors") for name in ("model", "last"))
    save_run_weights(tmp_path, PROVENANCE, weights, {"last": last})
    save_description(tmp_path, tiny.run_plan(), statistics)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_run_can_be_described_again_without_training(saved: Path, statistics: Statistics) -> None:
    before = load_description(saved)
    renamed = statistics.model_copy(update={"title": "Another title"})
    save_description(saved, tiny.run_plan(), renamed)
    assert load_description(saved) == before.model_copy(update={"statistics": renamed})


def test_folders_without_a_description_are_told_apart(saved: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(ConfigError, match="absent: found no such folder; expected the folder of a trained run"):
        load_run(saved / "absent", CPU)
    with pytest.raises(ConfigError, match=r"run\.yaml: found a file; .*The run comes first"):
        load_run(saved / "run.yaml", CPU)
    with pytest.raises(ConfigError, match=r"found a folder without run\.yaml.*a training wrote"):
        load_run(tmp_path_factory.mktemp("empty"), CPU)
    (saved / "run.yaml").unlink()
    with pytest.raises(ConfigError, match=r"found weights without run\.yaml.*give it again"):
        load_run(saved, CPU)


def test_a_training_that_has_not_ended_is_told_from_other_folders(tmp_path: Path) -> None:
    (tmp_path / "model.resume.pt").touch()
    with pytest.raises(ConfigError, match=r"found a training that has not ended; .* resumes it\."):
        load_description(tmp_path)
    with pytest.raises(ConfigError, match=r"found no such folder; expected the folder of a trained run"):
        upgrade_run(tmp_path / "elsewhere")


def test_fingerprints_are_the_same_in_every_process() -> None:
    code = "from mtlaerial.runs.plan import fingerprint; print(fingerprint({'b': 1, 'a': (2, 'x')}))"
    digest = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert fingerprint({"a": (2, "x"), "b": 1}) == digest
    assert fingerprint({"a": (2, "y"), "b": 1}) != digest

"""Run folders: saved, loaded, and described."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

import mtlaerial
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.models import build_model
from mtlaerial.runs.plan import fingerprint
from mtlaerial.runs.run import (
    Provenance,
    RunDescription,
    load_description,
    load_run,
    save_description,
    save_run_weights,
)
from mtlaerial.runs.text import describe_run
from mtlaerial.tiles.statistics import Statistics
from support import tiny

CPU = torch.device("cpu")
PROVENANCE = Provenance(code="0123456789ab", epoch=2)


@pytest.fixture
def saved(statistics: Statistics, tmp_path: Path) -> Path:
    """Return the folder of a run with random weights."""
    plan = tiny.run_plan()
    torch.manual_seed(3)
    weights = build_model(plan.model, 3, {"semantics": 6, "height": 1}).state_dict()
    last = {key: value + 1 for key, value in weights.items()}
    save_run_weights(tmp_path, PROVENANCE, weights, {"last": last})
    save_description(tmp_path, plan, statistics)
    return tmp_path


def test_a_run_is_loaded_as_it_was_saved(saved: Path, statistics: Statistics) -> None:
    run = load_run(saved, CPU)
    assert run.description == RunDescription(**PROVENANCE.model_dump(), plan=tiny.run_plan(), statistics=statistics)
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


def test_weights_that_are_missing_or_do_not_fit_are_named(saved: Path, statistics: Statistics) -> None:
    path = saved / "model.safetensors"
    weights = load_file(path)
    path.unlink()
    with pytest.raises(DataError, match=r"model\.safetensors: found no file.*Train the run first"):
        load_run(saved, CPU)
    path.write_bytes(b"damaged")
    for read in (lambda: load_run(saved, CPU), lambda: save_description(saved, tiny.run_plan(), statistics)):
        with pytest.raises(DataError, match=r"model\.safetensors: .*Train the run again"):
            read()
    del weights["heads.height.last.weight"]
    save_file(weights, path)
    with pytest.raises(DataError, match=r"heads\.height\.last\.weight"):
        load_run(saved, CPU)
    with pytest.raises(DataError, match="Train the run again"):
        save_description(saved, tiny.run_plan(), statistics)


def test_a_description_that_is_missing_or_not_one_is_named(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="absent: found no such folder; expected the folder of a trained run"):
        load_run(tmp_path / "absent", CPU)
    data = yaml.safe_load((saved / "run.yaml").read_text(encoding="utf-8"))
    del data["plan"]
    (saved / "run.yaml").write_text(yaml.safe_dump(data))
    with pytest.raises(ConfigError, match=r"run\.yaml, key plan: found nothing"):
        load_run(saved, CPU)


def test_a_description_in_words(saved: Path) -> None:
    text = describe_run(saved)
    for words in (
        "equal, seed 0, weights of epoch 2 of 3",
        "(generated data), 2 tiles",
        "red, green, blue (1, 2, 3 of the files)",
        "uint8, 0 to 255",
        "0.5 m",
        "1 building",
        "metres above ground",
        "0 % of the training pixels",
    ):
        assert words in text


def test_a_description_says_which_pixels_are_no_image(saved: Path, statistics: Statistics) -> None:
    measured = statistics.model_copy(update={"nodata": 7.0, "without_image": 0.1234})
    save_description(saved, load_description(saved).plan, measured)
    text = describe_run(saved)
    assert "uint8, 0 to 255; 7 in all bands is no image" in text
    assert "12.3 % of the training pixels" in text
    assert load_description(saved).statistics.nodata == 7


def test_fingerprints_are_the_same_in_every_process() -> None:
    code = "from mtlaerial.runs.plan import fingerprint; print(fingerprint({'b': 1, 'a': (2, 'x')}))"
    digest = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert fingerprint({"a": (2, "x"), "b": 1}) == digest
    assert fingerprint({"a": (2, "y"), "b": 1}) != digest

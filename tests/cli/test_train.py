"""The command train, and all commands from a data set or a checkpoint to maps."""

import json
from pathlib import Path

import pytest
import rasterio
import torch

from mtlaerial.runs.run import load_description
from support import original, tiny
from support.command_line import Call


def test_from_a_data_set_to_maps(call: Call, project: dict[str, Path], tmp_path: Path) -> None:
    spec, config, root, run = (project[key] for key in ("spec", "config", "root", "run"))
    assert call("synthesise", spec, "--out", root, "--size", tiny.SIZE)[0] == 0
    code, out, _ = call("check", spec, "--root", root, "--report", tmp_path / "report.json")
    assert code == 0, out
    assert json.loads((tmp_path / "report.json").read_text())
    code, out, _ = call("train", spec, "--root", root, "--out", run, "--config", config, "--seed", 3)
    assert code == 0
    assert f"mtlaerial describe {run}" in out
    code, out, _ = call("describe", run)
    assert code == 0
    assert "equal, seed 3" in out
    image = root / "images" / "city_4.tif"
    samples = ("--dropout-passes", 2, "--spread", "samples,overlap", "--layers", "entropy")
    assert call("predict", run, image, "--out", tmp_path / "maps", *samples)[0] == 0
    with rasterio.open(image) as source:
        for name in ("semantics", "height", "height_std", "semantics_entropy"):
            with rasterio.open(tmp_path / "maps" / f"{name}.tif") as raster:
                assert (raster.shape, raster.transform, raster.crs) == (source.shape, source.transform, source.crs)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_finished_run_is_trained_once_and_replaced_only_on_request(call: Call, project: dict[str, Path]) -> None:
    spec, config, root, run = (project[key] for key in ("spec", "config", "root", "run"))
    train = ("train", spec, "--root", root, "--out", run, "--config", config, "--tiles", run.parent / "tiles")
    call("synthesise", spec, "--out", root, "--size", tiny.SIZE)
    assert call(*train)[0] == 0
    assert not (run / "tiles").exists()
    before = contents(run)
    code, _, err = call(*train)
    assert (code, contents(run)) == (0, before), err
    code, _, err = call(*train, "--seed", 4)
    assert (code, contents(run)) == (1, before)
    assert "found another finished run (seed 0 instead of 4); expected no run, or this one. Choose another" in err
    assert call(*train, "--seed", 4, "--replace")[0] == 0
    assert load_description(run).plan.seed == 4


@pytest.mark.full("trains twice")
def test_a_run_that_was_damaged_is_trained_again_only_on_request(call: Call, project: dict[str, Path]) -> None:
    spec, config, root, run = (project[key] for key in ("spec", "config", "root", "run"))
    train = ("train", spec, "--root", root, "--out", run, "--config", config)
    call("synthesise", spec, "--out", root, "--size", tiny.SIZE)
    assert call(*train)[0] == 0
    weights = (run / "model.safetensors").read_bytes()
    (run / "model.safetensors").write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    code, _, err = call(*train)
    assert code == 1
    assert "found SHA-256" in err
    assert "--replace trains it here again" in err
    assert call(*train, "--replace")[0] == 0
    assert (run / "model.safetensors").read_bytes() == weights


@pytest.mark.full("imports a whole checkpoint; tests/runs has the parts")
def test_from_a_checkpoint_of_the_original_to_maps(call: Call, project: dict[str, Path], tmp_path: Path) -> None:
    spec, root, run = (project[key] for key in ("spec", "root", "run"))
    call("synthesise", spec, "--out", root, "--size", tiny.SIZE)
    torch.save({"state_dict": original.weights(original.shapes((1, 8), skips=True))}, tmp_path / "d3net.pth.tar")
    options = ["--tasks", "depth,semantics", "--channels", "7,6,5,4,3,2", "--height-unit", "25.5", "--dropout", "0"]
    code, out, err = call("import-checkpoint", tmp_path / "d3net.pth.tar", spec, "--out", run, *options)
    assert code == 0, err
    assert f"mtlaerial describe {run}" in out
    assert "height.tif: metres, 25.5 per unit of the file's output." in out
    assert "semantics.tif: class indices; in brackets the file's channel, which is the original's code" in out
    assert "0 impervious (channel 7), 1 building (channel 6)" in out
    plan = load_description(run).plan
    assert (plan.training.height_unit, plan.model.dropout) == (25.5, 0)
    code, out, _ = call("describe", run)
    assert code == 0
    assert "imported from d3net.pth.tar" in out
    assert call("predict", run, root / "images" / "city_4.tif", "--out", tmp_path / "maps")[0] == 0
    assert {path.name for path in (tmp_path / "maps").glob("*.tif")} == {"semantics.tif", "height.tif"}

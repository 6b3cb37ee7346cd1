"""The command line: help with examples, one sentence per error, and all commands from a data set to maps."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch
import typer
import yaml

from mtlaerial.cli import app, main
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.runs.cost import PredictionCost, load_prediction_cost
from mtlaerial.runs.run import load_description
from support import original, tiny

COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]  # click types lack it
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Return a function that runs the command line and returns exit code, output and error output."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "dumb")

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mtlaerial", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        output = capsys.readouterr()
        return int(ended.value.code or 0), output.out, output.err

    return run


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(call: Call, command: str) -> None:
    code, out, _ = call(command, "--help")
    assert code == 0
    assert "Example:" in out
    assert f"mtlaerial {command} " in out


def test_the_help_lists_every_command(call: Call) -> None:
    code, out, _ = call("--help")
    assert code == 0
    assert COMMANDS == [
        "assess", "calibrate", "check", "dashboard", "describe", "ensemble", "export", "folds", "import-checkpoint",
        "init", "networks", "power", "predict", "probe", "sample", "score", "score-objects", "status", "synthesise",
        "train", "upgrade", "vectorise", "view", "weightings", "workflow-path", "zones",
    ]  # fmt: skip
    assert all(command in out for command in COMMANDS)


@pytest.mark.parametrize(
    "code",
    [
        "import mtlaerial.cli",
        "import sys, contextlib\nsys.argv = ['mtlaerial', '--help']\nfrom mtlaerial.cli import main\n"
        "with contextlib.suppress(SystemExit):\n    main()",
        "import sys, contextlib\nsys.argv = ['mtlaerial', 'predict', '--help']\nfrom mtlaerial.cli import main\n"
        "with contextlib.suppress(SystemExit):\n    main()",
    ],
    ids=["import", "--help", "predict --help"],
)
def test_help_comes_without_waiting_for_torch(code: str) -> None:
    names = {"torch", "onnx", "rasterio", "pandas", "geopandas", "lightning_fabric"}
    heavy = f"import sys; print(sorted({names} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{heavy}"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.full("a process of its own, as for the help")
def test_a_wrong_path_is_refused_without_waiting_for_torch(run_folder: Path, tmp_path: Path) -> None:
    code = "import sys; from mtlaerial.cli import main\ntry: main()\nfinally: print(*sys.modules)"
    command = [sys.executable, "-c", code, "predict", str(run_folder), str(tmp_path / "none.tif"), "--out", "maps"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "none.tif: found no file" in done.stderr
    assert "torch" not in done.stdout.split()


def test_a_user_s_error_is_one_sentence_without_a_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from mtlaerial.cli import main; main()", "describe", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        f"Error: {tmp_path}: found a folder without run.yaml; expected the folder of a trained run. "
        "Give the folder that a training wrote, such as results/NAME/runs/METHOD/seed0."
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "absent.yaml", "--root", "."], "absent.yaml: found no such file"),
        (
            ["check", "{spec}", "--root", "nowhere"],
            "nowhere: found no such folder; expected the folder with the files of",
        ),
        (
            ["check", "{spec}", "--root", "{spec}"],
            "city.yaml: found a file; expected the folder with the files of city",
        ),
        (["check", "{run}", "--root", "{spec}"], "found a folder; expected a YAML file"),
        (["check", "{config}", "--root", "."], "found a configuration of the workflow; expected the specification"),
        (["describe", "nowhere"], "nowhere: found no such folder; expected the folder of a trained run"),
        (
            ["predict", "{image}", "{run}", "--out", "maps"],
            "image.tif: found a file; expected the folder of a trained run",
        ),
        (
            ["status", "--config", "{spec}"],
            "city.yaml: found the specification of a data set; expected a configuration",
        ),
        (["status", "--config", "{config}", "--recipe", "nothing"], "--recipe: found 'nothing'; expected one of best"),
        (["probe", "--config", "{config}", "--recipe", "nothing"], "--recipe: found 'nothing'; expected one of best"),
        (
            ["score", "{run}", "{spec}", "--root", ".", "--config", "{config}", "--recipe", "nothing", "--out", "maps"],
            "--recipe: found 'nothing'; expected one of best",
        ),
        (
            ["train", "{spec}", "--root", "nowhere", "--out", "run", "--config", "{config}"],
            "nowhere: found no such folder",
        ),
        (["predict", "{run}", "absent.tif", "--out", "maps"], "absent.tif: found no file"),
        (["predict", "{run}", "{image}", "--out", "maps", "--bands", "1,x"], "--bands: found 'x'"),
        (["import-checkpoint", "absent.pth.tar", "{spec}", "--out", "run"], "absent.pth.tar: found no file"),
        (["import-checkpoint", "{image}", "{spec}", "--out", "run"], "expected a checkpoint saved by torch"),
        (["import-checkpoint", "{image}", "{spec}", "--out", "run", "--tasks", "a,b"], "--tasks: found a,b"),
        (["import-checkpoint", "{image}", "{spec}", "--out", "run", "--channels", "1;2"], "--channels: found '1;2'"),
        (["import-checkpoint", "{image}", "{spec}", "--out", "{run}"], "found a run; expected a folder without one"),
        (["predict", "{run}", "{image}", "--out", "maps", "--bands", "1,2,4"], "bands 1, 2, 4"),
        (["predict", "{run}", "{image}", "--out", "maps", "--window", "100"], "--window: found 100"),
        (["predict", "{run}", "{image}", "--out", "maps", "--stride", "2000"], "a stride of at most the window"),
        (
            ["predict", "{run}", "{image}", "--out", "maps", "--dropout-passes", "1"],
            "--dropout-passes: found 1; expected at least 2",
        ),
        (
            ["train", "{spec}", "--root", ".", "--out", "run", "--config", "{config}", "--method", "x"],
            "--method: found 'x'",
        ),
    ],
)
def test_errors_name_the_fault(
    call: Call,
    run_folder: Path,
    tiles: dict[str, list[Path]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    places = {
        "run": run_folder,
        "image": tiles["test"][0] / "image.tif",
        "spec": tiny.CONFIG / "datasets" / "city.yaml",
        "config": tiny.CONFIG / "config.yaml",
    }
    monkeypatch.chdir(tmp_path)
    code, _, err = call(*(argument.format(**places) for argument in arguments))
    assert code == 1
    assert err.startswith("Error: ")
    assert message in err
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_values_out_of_range_are_refused_by_the_option(call: Call, run_folder: Path) -> None:
    for option in (("--window", 0), ("--stride", 0), ("--dropout-passes", -1)):
        code, _, err = call("predict", run_folder, "image.tif", "--out", "maps", *option)
        assert code == 2
        assert option[0] in err


@pytest.fixture
def project(tmp_path: Path) -> dict[str, Path]:
    """Return the paths of a specification and a configuration of the smallest sizes."""
    spec, config = tmp_path / "town.yaml", tmp_path / "config.yaml"
    spec.write_text(yaml.safe_dump(tiny.city_spec().model_dump(mode="json")), encoding="utf-8")
    content = {
        "run": {"datasets": ["town"], "methods": ["equal"], "seeds": [0]},
        "datasets": {"town": {"spec": str(spec), "root": "town"}},
        "models": {"tiny": tiny.MODEL},
        "methods": {"equal": {"tasks": ["semantics", "height"], "model": "tiny"}},
        "training": {**tiny.TRAINING, "epochs": 1},
    }
    config.write_text(yaml.safe_dump(content), encoding="utf-8")
    return {"spec": spec, "config": config, "root": tmp_path / "data", "run": tmp_path / "run"}


def test_predict_tells_and_keeps_the_cost(
    call: Call, run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cost = PredictionCost(seconds=3, mpixel=2, peak_memory_mb=None, device="CPU")
    monkeypatch.setattr("mtlaerial.prediction.image_batch.predict_images", lambda *arguments: None)
    monkeypatch.setattr(Predictor, "has_predicted", True)
    monkeypatch.setattr(Predictor, "cost", cost)
    (tmp_path / "town.tif").touch()
    code, out, _ = call("predict", run_folder, tmp_path / "town.tif", "--out", tmp_path)
    assert (code, out.strip()) == (0, f"Maps in {tmp_path}, 1.5 s per Mpixel")
    assert load_prediction_cost(tmp_path / "prediction_cost.json") == cost


def test_predict_passes_its_options_on(
    call: Call, run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []
    monkeypatch.chdir(tmp_path)
    Path("town.tif").touch()
    monkeypatch.setattr("mtlaerial.prediction.image_batch.predict_images", lambda *arguments: given.extend(arguments))
    options = ("--bands", "3,2,1", "--gsd", 0.25, "--resample", "--range", "0,4095", "--replace")
    computing = ("--device", "cpu", "--threads", 1, "--batch", 3, "--precision", "bf16-mixed")
    assert call("predict", run_folder, "town.tif", "--out", "maps", *options, *computing)[0] == 0
    predictor, inputs, out, options, replace = given
    assert ([image.location for image in inputs.images], inputs.several, out) == (["town.tif"], False, Path("maps"))
    assert options.settings == {
        "bands": [3, 2, 1], "gsd": 0.25, "resample": True, "range": (0.0, 4095.0), "area": None,
    }  # fmt: skip
    assert replace
    prediction = predictor.prediction
    assert (prediction.device, prediction.threads, prediction.batch) == ("cpu", 1, 3)
    assert prediction.precision == "bf16-mixed"


def test_a_prediction_that_runs_out_of_memory_says_so_in_one_sentence(
    call: Call, run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*arguments: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 39321600 bytes")

    monkeypatch.setattr(Predictor, "run_over", exhausted)
    image = tiny.write_raster(tmp_path / "town.tif", np.full((3, 64, 64), 7, np.uint8))
    code, _, err = call("predict", run_folder, image, "--out", tmp_path / "maps")
    assert code == 1
    assert err.splitlines()[-1].startswith("Error: memory: found no more for this process")


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


def test_a_faulty_data_set_is_not_trained_on(call: Call, project: dict[str, Path]) -> None:
    spec, config, root, run = (project[key] for key in ("spec", "config", "root", "run"))
    call("synthesise", spec, "--out", root, "--size", tiny.SIZE)
    (root / "height" / "city_2.tif").unlink()
    code, out, _ = call("check", spec, "--root", root)
    assert code == 1
    assert "city_2" in out
    code, _, err = call("train", spec, "--root", root, "--out", run, "--config", config)
    assert code == 1
    assert "height/city_2.tif" in err
    assert not (run / "model.safetensors").exists()


def test_an_interruption_is_said_in_a_word(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(folder: Path) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("mtlaerial.runs.text.describe_run", interrupted)
    code, _, err = call("describe", tmp_path)
    assert code == 130
    assert len(err.splitlines()) <= 1

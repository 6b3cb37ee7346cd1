"""Errors of the command line: one sentence that names the fault."""

import subprocess
import sys
from pathlib import Path

import pytest

from support import tiny
from support.command_line import Call


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

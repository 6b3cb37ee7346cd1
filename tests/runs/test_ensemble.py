"""Folders of ensembles: what they list, and runs that cannot be joined."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from mtlaerial.config import ScoringSpec
from mtlaerial.errors import UserError
from mtlaerial.export import export_run
from mtlaerial.pipeline.scored_run import row_names
from mtlaerial.pipeline.start import _require_run
from mtlaerial.runs.ensemble import make_ensemble
from mtlaerial.runs.loading import load_run
from mtlaerial.runs.recipe_record import RecipeRecord
from mtlaerial.runs.run import load_description, read_description, write_description
from mtlaerial.runs.text import describe_run
from mtlaerial.scoring.run_scores import score_maps
from mtlaerial.tiles.statistics import Statistics
from support import tiny
from support.small_runs import drawn_run


@pytest.fixture
def runs(statistics: Statistics, tmp_path: Path) -> list[Path]:
    """Return the folders of two runs: of both tasks, and of heights alone."""
    both = drawn_run(tmp_path / "both", tiny.run_plan(), statistics)
    return [both, drawn_run(tmp_path / "heights", tiny.run_plan(("height",), seed=2), statistics, seed=4)]


def refused(runs: list[Path], folder: Path, **options: Any) -> str:
    with pytest.raises(UserError) as caught:
        make_ensemble(runs, folder, **options)
    assert "\n" not in str(caught.value)
    assert not (folder / "run.yaml").exists() or options
    return str(caught.value)


def changed(run: Path, folder: Path, plan: dict[str, Any] | None = None, **statistics: Any) -> Path:
    """Copy a run whose training was on other data."""
    shutil.copytree(run, folder)
    description = load_description(run)
    changes = {
        "plan": description.plan.model_copy(update=plan or {}),
        "statistics": description.statistics.model_copy(update=statistics),
    }
    write_description(folder, description.model_copy(update=changes))
    return folder


def test_an_ensemble_lists_its_runs_by_path_and_hash_and_has_their_tasks(runs: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "joined" / "both"
    make_ensemble(runs[::-1], folder)
    listed = yaml.safe_load((folder / "run.yaml").read_text())
    hashes = [load_description(run).sha256 for run in runs[::-1]]
    assert listed["members"] == [
        {"run": f"../../{run.name}", "sha256": sha256} for run, sha256 in zip(runs[::-1], hashes, strict=True)
    ]
    assert [path.name for path in folder.iterdir()] == ["run.yaml"]
    description = load_description(folder)
    assert description.plan.tasks == ("semantics", "height")
    assert description.outputs == load_description(runs[0]).outputs
    assert (description.name, description.sha256) == ("city/both/seed2", listed["sha256"])
    assert [network.sha256 for network in description.networks] == hashes


def test_a_folder_of_an_ensemble_can_be_moved_with_its_runs(runs: list[Path], tmp_path: Path) -> None:
    make_ensemble(runs, tmp_path / "joined")
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in ("joined", "both", "heights"):
        (tmp_path / name).rename(moved / name)
    assert list(load_description(moved / "joined").members) == [moved / "both", moved / "heights"]


def test_an_ensemble_is_described_by_its_members_and_their_sum(runs: list[Path], tmp_path: Path) -> None:
    make_ensemble(runs, tmp_path / "joined")
    lines = describe_run(tmp_path / "joined").splitlines()
    assert "joined, the mean of 2 networks" in lines[0]
    assert f"{runs[1]}: city/equal/seed2" in lines[2]
    networks = [load_run(run, torch.device("cpu")).model for run in runs]
    parameters = sum(weight.numel() for network in networks for weight in network.parameters())
    assert f"{parameters / 1e6:.3g} million parameters" in next(line for line in lines if line.startswith("size"))


def test_the_average_of_heights_is_recorded_and_described(runs: list[Path], tmp_path: Path) -> None:
    for heights in ("mean", "median"):
        make_ensemble(runs, tmp_path / heights, name="best", heights=heights)
    paths = {heights: tmp_path / heights / "run.yaml" for heights in ("mean", "median")}
    assert [yaml.safe_load(path.read_text())["plan"]["heights"] for path in paths.values()] == ["mean", "median"]
    mean, median = (load_description(path.parent) for path in paths.values())
    assert (mean.heights, median.heights) == ("mean", "median")
    assert mean.sha256 != median.sha256, "so that a map of one does not replace that of the other"
    assert score_maps(median, tmp_path, [], ScoringSpec()).ensemble_heights == "median"
    text = "best, the mean of the class scores and the median of the heights of 2 networks"
    assert text in describe_run(paths["median"].parent)
    folders, plan = [path.parent for path in paths.values()], mean.plan.model_copy(update={"seed": 9})
    assert row_names(folders, [mean.model_copy(update={"plan": plan}), mean], ["city"]) == ["best", "best"]
    rows = row_names(folders, [mean.model_copy(update={"plan": plan}), median], ["city"])
    assert rows == [folder.as_posix() for folder in folders], "no two seeds of one method"


def test_an_ensemble_of_an_earlier_version_is_a_mean_with_its_hash(runs: list[Path], tmp_path: Path) -> None:
    make_ensemble(runs, tmp_path / "joined")
    path = tmp_path / "joined" / "run.yaml"
    path.write_text(path.read_text().replace("  heights: mean\n", ""))
    assert "heights: mean" not in path.read_text()
    description = load_description(path.parent)
    hashes = "\n".join(load_description(run).sha256 for run in runs)
    assert (description.heights, description.sha256) == ("mean", hashlib.sha256(hashes.encode()).hexdigest())


def test_a_median_needs_heights(statistics: Statistics, tmp_path: Path) -> None:
    classes = drawn_run(tmp_path / "classes", tiny.run_plan(("semantics",)), statistics)
    message = refused([classes], tmp_path / "joined", heights="median")
    assert message.startswith("--heights: found median; expected mean, as no member learns heights.")


def test_an_ensemble_names_the_recipes_of_its_members(runs: list[Path], tmp_path: Path) -> None:
    records = [RecipeRecord(name="small", sha256="0"), None, RecipeRecord(name="small", sha256="0")]
    one = load_description(runs[0])
    members = [one.model_copy(update={"recipe": record}) for record in records]
    joined = one.model_copy(update={"members": {Path(f"{number}"): each for number, each in enumerate(members)}})
    assert joined.recipe_text == "small and none named"
    assert score_maps(joined, tmp_path, [], ScoringSpec()).recipe == "small and none named"
    assert (one.recipe_text, members[0].recipe_text) == ("", "small")
    write_description(runs[0], members[0])
    make_ensemble(runs[:1], tmp_path / "joined")
    assert "small" in next(line for line in describe_run(tmp_path / "joined").splitlines() if "recipe" in line)


@pytest.mark.parametrize(
    ("statistics_change", "plan", "message"),
    [
        ({"range": (0, 1000)}, {}, "found values of 0 to 1000 (uint8); expected values of 0 to 255 (uint8), as of"),
        ({"gsd": 0.25}, {}, "found pixels of 0.25 m; expected pixels of 0.5 m, as of"),
        ({"nodata": 0}, {}, "found the no-data value 0; expected the no-data value none, as of"),
        ({}, {"dataset": "village"}, "found the data set village; expected the data set city, as of"),
    ],
)
def test_runs_of_other_images_or_data_are_refused(
    runs: list[Path], tmp_path: Path, statistics_change: dict[str, Any], plan: dict[str, Any], message: str
) -> None:
    other = changed(runs[1], tmp_path / "other", plan, **statistics_change)
    assert refused([runs[0], other], tmp_path / "joined").startswith(f"{other}: {message} {runs[0]}. Choose runs")


def test_other_bands_and_classes_are_refused(runs: list[Path], statistics: Statistics, tmp_path: Path) -> None:
    fewer = changed(runs[0], tmp_path / "fewer", classes=statistics.classes[1:])
    assert "found the classes" in refused([*runs, fewer], tmp_path / "joined")
    swapped = changed(runs[1], tmp_path / "swapped", bands=statistics.bands[::-1])
    assert "found the bands blue (3), green (2), red (1)" in refused([runs[0], swapped], tmp_path / "joined")
    heights = changed(runs[1], tmp_path / "heights_alone", classes=())
    make_ensemble([heights, runs[0]], tmp_path / "joined")  # which has no use for classes
    assert read_description(tmp_path / "joined").outputs == read_description(runs[0]).outputs


def test_what_is_no_single_run_is_refused(runs: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "joined"
    make_ensemble(runs, folder)
    nested = refused([runs[0], folder], tmp_path / "nested")
    assert f"{folder}: found an ensemble" in nested
    assert f"Give one of its members: {runs[0]}, {runs[1]}" in nested
    assert "expected each run once" in refused([runs[0], runs[0]], tmp_path / "twice")
    assert "no such folder" in refused([runs[0], tmp_path / "absent"], tmp_path / "half")
    assert "expected a folder without one" in refused(runs, folder, replace=False)
    assert "expected a folder without weights" in refused(runs[1:], runs[0], replace=True)
    make_ensemble(runs[:1], folder, replace=True)
    assert len(read_description(folder).networks) == 1


def test_a_member_that_is_missing_or_replaced_is_named(
    runs: list[Path], statistics: Statistics, tmp_path: Path
) -> None:
    folder = tmp_path / "joined"
    make_ensemble(runs, folder)
    drawn_run(runs[1], tiny.run_plan(("height",), seed=2), statistics, seed=5)
    with pytest.raises(UserError, match=r"run\.yaml, member \.\./heights: found weights of SHA-256.*Make the ensemble"):
        read_description(folder)
    shutil.rmtree(runs[1])
    with pytest.raises(UserError, match=r"run\.yaml, member \.\./heights: found no such folder"):
        load_description(folder)


def test_damaged_weights_of_a_member_are_noticed(runs: list[Path], tmp_path: Path) -> None:
    make_ensemble(runs, tmp_path / "joined")
    weights = bytearray((runs[1] / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (runs[1] / "model.safetensors").write_bytes(weights)
    with pytest.raises(UserError, match=r"heights/model\.safetensors: found SHA-256"):
        load_description(tmp_path / "joined")


def test_an_ensemble_that_lists_itself_is_refused(runs: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "joined"
    make_ensemble(runs, folder)
    path = folder / "run.yaml"
    path.write_text(path.read_text().replace("../heights", "."))
    with pytest.raises(UserError, match=r"member \.: found an ensemble"):
        read_description(folder)


def test_what_needs_weights_refuses_an_ensemble(runs: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "joined"
    make_ensemble(runs, folder)
    with pytest.raises(UserError, match=r"found an ensemble.*Give one of its members"):
        export_run(folder, "pt2", tmp_path / "model.pt2")
    with pytest.raises(UserError, match=r"models\.net\.pretrained: .*found an ensemble.*single run to begin with"):
        _require_run("models.net.pretrained", folder)

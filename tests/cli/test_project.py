"""New projects, the place of the workflow, and settings on the command line."""

import re
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import yaml
from typer.testing import CliRunner

from mtlaerial import __version__
from mtlaerial.cli import app
from mtlaerial.cli.options import configuration_keys
from mtlaerial.cli.project import init
from mtlaerial.config import load_dataset
from mtlaerial.config.configuration_files import merged_configuration
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import UserError
from mtlaerial.pipeline.new_project import NewDataset, write_project
from mtlaerial.pipeline.project import Project
from mtlaerial.synthetic.generate import synthesise
from support.paths import ROOT

DATASETS: tuple[NewDataset, ...] = get_args(NewDataset)
LISTED_BY_THE_FILES = ("dfc2019", "geonrw")


def run(*arguments: object) -> tuple[int, str]:
    """Return exit code and output of a command, or the message of its error."""
    result = CliRunner().invoke(app, [*map(str, arguments)])
    if isinstance(result.exception, UserError):
        return 1, str(result.exception)
    return result.exit_code, result.output


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("dataset", DATASETS)
def test_init_writes_a_project_of_the_data_set(dataset: NewDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("init", "here", "--dataset", dataset)[0] == 0
    own = {"config/datasets/own.yaml"} if dataset == "own" else set()
    assert files_in(Path("here")) == {
        "Snakefile", "README.md", "config/config.yaml", "profiles/default/profile.yaml",
        "workflow/report/fit.css", *own,
    }  # fmt: skip
    assert "$" not in "".join(path.read_text() for path in Path("here").rglob("*") if path.is_file())
    monkeypatch.chdir("here")
    if dataset in LISTED_BY_THE_FILES:
        with pytest.raises(UserError, match=f"datasets/{dataset}: found no such folder.* Download "):
            Project.of(merged_configuration())
        return
    project = Project.of(merged_configuration())
    assert project.config.recipe_overlay is not None
    assert set(project.sources) == {dataset}
    assert project.sources[dataset].root == Path("datasets") / dataset
    assert [method for _, method in project.runs()] == ["semantics", "height", "equal"]


def test_init_offers_each_data_set_that_the_page_lists_as_shipped() -> None:
    page = (ROOT / "docs/own-data.md").read_text()
    table = page.split("### Specifications that are shipped")[1].split("###")[0]
    assert {*re.findall(r"(?m)^\| `(\w+)` \|", table), "own"} == set(DATASETS)
    assert get_type_hints(init)["dataset"] == NewDataset


def test_a_project_of_ones_own_says_first_that_the_specification_is_to_be_filled_in() -> None:
    write_project(Path("here"), "own")
    assert "1. Put the files of the data set into `datasets/own`. Correct each line of `config/datasets/own.yaml`." in (
        Path("here/README.md").read_text()
    )
    code, message = run("check", "here/config/datasets/own.yaml", "--root", "datasets/own")
    assert code == 1
    assert message.endswith("Correct the path. Put the files into datasets/own.")


def test_the_profile_of_a_project_names_no_file_that_the_project_lacks() -> None:
    write_project(Path("here"), "autzen")
    profile = yaml.safe_load(Path("here/profiles/default/profile.yaml").read_text())
    assert Path("here", profile["report-stylesheet"]).is_file()


def test_the_specification_to_fill_in_is_valid_and_fits_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(Path("here"), "own")
    monkeypatch.chdir("here")
    project = Project.of(merged_configuration())
    dataset = project.sources["own"]
    assert project.methods("own") == project.config.run.methods
    synthesise(Dataset("own", load_dataset(Path("config/datasets/own.yaml")), dataset.root), seed=0, size=64)
    assert not project.missing()


@pytest.mark.parametrize("kind", ["file", "full folder"])
def test_init_refuses_a_place_that_is_taken(kind: str) -> None:
    place = Path("here")
    if kind == "file":
        place.write_text("mine")
    else:
        place.mkdir()
        (place / "notes.txt").write_text("mine")
    code, message = run("init", place, "--dataset", "own")
    assert code == 1
    assert message.startswith("here: found ")
    assert "expected a new or empty folder" in message
    assert files_in(Path()) <= {"here", "here/notes.txt"}


def test_the_workflow_path_is_the_folder_of_the_snakefile() -> None:
    assert run("workflow-path") == (0, f"{ROOT}\n")


def test_version_is_that_of_the_package() -> None:
    assert run("--version") == (0, f"mtlaerial {__version__}\n")


def test_check_takes_the_name_of_a_shipped_specification() -> None:
    Path("scene").mkdir()
    code, output = run("check", "autzen", "--root", "scene")
    assert code == 1
    assert "autzen_r1c2" in output


def test_folds_refuses_to_write_beside_a_shipped_specification() -> None:
    code, message = run("folds", "autzen", "--root", ".")
    assert code == 1
    assert message.startswith("DATASET: found autzen, a shipped specification")
    assert not files_in(Path())


def test_status_needs_no_configuration() -> None:
    code, output = run("status", "--set", "run.datasets=[city]", "--set", "run.seeds=[4]", "--recipe", "compact")
    assert code == 0
    assert "city/equal/seed4" in output
    assert "Trainings: 9 waiting" in output


def test_status_lists_what_is_to_be_trained_in_a_project_without_results() -> None:
    write_project(Path(), "own")
    code, output = run("status")
    assert code == 0
    assert "own/equal/seed0" in output


def test_status_shows_no_shipped_selection_where_nothing_is_of_a_project() -> None:
    code, output = run("status")
    assert code == 0
    assert "vaihingen" not in output
    assert output.startswith("No trainings here, as there is no config/config.yaml, nor results of the shipped one: ")
    assert len(output.splitlines()) == 1
    Path("results/vaihingen").mkdir(parents=True)  # as the workflow writes without a configuration
    assert "vaihingen/equal/seed0" in run("status")[1]


def test_settings_are_typed_as_yaml() -> None:
    texts = [
        "training.learning_rate=1.0e-3",
        "training.compile=true",
        "run.seeds=[0]",
        "recipe=null",
        "a.b={c: d=e}",
    ]
    keys = configuration_keys("--set", texts)
    assert keys == {
        "training": {"learning_rate": 0.001, "compile": True}, "run": {"seeds": [0]}, "recipe": None,
        "a": {"b": {"c": "d=e"}},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("training.epochs", "--set: found 'training.epochs'; expected KEY=VALUE"),
        ("training.epochs=[1", "--set training.epochs: found text that is not YAML"),
        ("training.epochs=many", "--set, key training.epochs: found 'many'"),
        ("training.epoch=1", "Did you mean epochs?"),
        ("recipe=nothing", "--set, key recipe: found 'nothing'; expected one of best-10min"),
    ],
)
def test_a_wrong_setting_is_one_sentence(text: str, message: str) -> None:
    code, output = run("status", "--set", text)
    assert code == 1
    assert message in output

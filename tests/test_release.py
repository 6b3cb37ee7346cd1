"""A release: one version in all places that name it, and workflows that call what exists."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
IMAGE = r"ghcr\.io/mtlaerial/mtlaerial:([\w.]+)"
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("CITATION.cff", r"(?m)^version: (\S+)$"),
        ("Snakefile", IMAGE),
        ("envs/Containerfile", IMAGE),
        ("docs/cluster.md", IMAGE),
        ("CHANGELOG.md", r"(?m)^## \[([\w.]+)\]"),
    ],
)
def test_every_place_names_the_version_of_the_package(path: str, pattern: str) -> None:
    versions = re.findall(pattern, (ROOT / path).read_text(encoding="utf-8"))
    assert versions[:1] == [VERSION]
    if path != "CHANGELOG.md":  # which has all versions
        assert set(versions) == {VERSION}


def test_the_citation_names_the_paper() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()  # what the format requires
    assert citation["references"][0]["doi"] == "10.1109/LGRS.2019.2947783"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_of_github_calls_scripts_that_exist(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    targets = set(re.findall(r"(?m)^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    commands = "\n".join(step.get("run", "") for step in steps)
    assert steps
    assert set(re.findall(r"\bmake ([\w-]+)", commands)) <= targets
    for script in re.findall(r"(?m)^(\.ci/\w+)", commands):
        assert (ROOT / script).is_file()


def test_only_the_publishing_job_may_publish() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/publish.yml").read_text(encoding="utf-8"))["jobs"]
    writing = [name for name, job in jobs.items() if "id-token" in job.get("permissions", {})]
    assert writing == ["publish"]
    assert jobs["publish"]["needs"] == "build"

"""Runs without Snakemake: their recipes."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from mtlaerial.cli import app
from mtlaerial.config import merge
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import ConfigError
from mtlaerial.runs.run import load_description
from support import tiny
from support.configurations import PROJECT


@pytest.mark.full("a training of two updates, with the preparation of its tiles")
def test_recipe_of_the_command_line_is_trained_and_recorded(city: Dataset, tmp_path: Path) -> None:
    training = {**tiny.TRAINING, "epochs": 1}
    small = {"recipe": "small", "model": "little", "models": {"little": tiny.MODEL}, "training": training}
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes/small.yaml").write_text(yaml.safe_dump(small))
    methods = {"both": {"tasks": ["height"], "model": None}}
    data = merge(PROJECT, {"model": "net", "methods": methods, "training": {"clip_norm": 1.0}})
    (tmp_path / "base.yaml").write_text(yaml.safe_dump(data))
    (tmp_path / "city.yaml").write_text(yaml.safe_dump(city.spec.model_dump(mode="json", exclude_none=True)))
    command = ["train", str(tmp_path / "city.yaml"), "--root", str(city.root), "--out", str(tmp_path / "run")]
    command += ["--config", str(tmp_path / "base.yaml"), "--method", "both", "--recipe"]
    refused = CliRunner().invoke(app, [*command, "large"])
    assert isinstance(refused.exception, ConfigError)
    assert "--recipe: found 'large'; expected one of small" in str(refused.exception)
    trained = CliRunner().invoke(app, [*command, "small"])
    assert trained.exit_code == 0, trained.output
    run = load_description(tmp_path / "run")
    assert run.recipe is not None
    assert run.recipe.text == "small, but for training.clip_norm"
    assert (run.plan.training.epochs, run.plan.model.model_dump()["stem"]) == (1, tiny.MODEL["stem"])

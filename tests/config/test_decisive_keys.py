"""Keys that decide a stage, and the params of jobs: plain data, without what decides nothing."""

import json
from typing import Any

import pytest

from mtlaerial.config import TrainingSpec
from mtlaerial.config.decisive_keys import STAGES, decisive, indecisive
from mtlaerial.pipeline.context_params import Context, dataset_in, plan_in
from mtlaerial.pipeline.decisive_params import Decisive
from support.every_key import TILES
from support.project_jobs import jobs, project


def test_a_key_that_the_table_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Extended(TrainingSpec):
        momentum: float = 0.9

    with pytest.raises(KeyError, match=r"training\.momentum: name the stages"):
        decisive("train", Extended(), "training")


def test_titles_decide_no_training() -> None:
    assert indecisive("train", ("title", "gsd", "pixels")) == {"title"}
    assert indecisive("train", ("name", "pixels"), "labels.classes") == {"name"}


def test_params_are_plain_data_and_complete(configuration: dict[str, Any]) -> None:
    """Jobs on other machines get them as JSON; scripts build data set and plan from them again."""
    planned = project(configuration, TILES)
    run = {"dataset": "town", "method": "both", "seed": "0"}
    params = {"decisive": Decisive(planned).train(**run), "context": Context(planned).train(**run)}
    params = json.loads(json.dumps(params))
    assert plan_in(params) == planned.plan("town", "both", 0)
    assert dataset_in(params["context"]) == planned.datasets["town"]
    for rule, wildcards in jobs(planned):
        json.dumps(getattr(Decisive(planned), rule)(**dict(wildcards)))
        if hasattr(Context, rule):
            json.dumps(getattr(Context(planned), rule)(**dict(wildcards)))


def test_new_keys_of_published_weights_fetch_nothing_again(configuration: dict[str, Any]) -> None:
    """Trainings that begin with them would be repeated too."""
    before = {"sha256": configuration["pretrained"]["weights"]["sha256"]}
    assert Decisive(project(configuration, TILES)).fetch_pretrained("weights") == before


def test_what_changes_a_rate_changes_the_weights_too() -> None:
    """A run is finished by its fingerprint alone: one with a rate of another recipe must have another."""
    assert not [key for key, stages in STAGES.items() if "measure_rate" in stages and "train" not in stages]


def test_style_and_noise_at_their_defaults_generate_nothing_again(configuration: dict[str, Any]) -> None:
    """Earlier versions lack these keys; all that was trained on their data would be repeated."""
    before = {"seed": 0, "size": 512, "vary": 0.0, "ground_truth_gsd": {}}
    assert Decisive(project(configuration, TILES)).synthesise("made")["generate"] == before
    configuration["datasets"]["made"]["generate"] |= {"style": "organic", "noise": {"image": 0.02}}
    noise = {"image": 0.02, "height": 0.0, "labels": 0.0}
    after = {**before, "style": "organic", "noise": noise}
    assert Decisive(project(configuration, TILES)).synthesise("made")["generate"] == after

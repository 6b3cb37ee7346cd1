"""Predictors: their names, and what a method of the configuration needs for them."""

from typing import Any

import pytest

from mtlaerial.config import PredictionSpec, merge, parse_project
from mtlaerial.config.predictors import predictor_name
from mtlaerial.config.recipe_in_force import recipe_in_force
from mtlaerial.errors import ConfigError

PROJECT: dict[str, Any] = {
    "run": {"datasets": ["town"], "methods": ["each", "all"], "seeds": [3, 4]},
    "datasets": {"town": {"spec": "town.yaml", "root": "town"}},
    "models": {"net": {}},
    "methods": {
        "metres": {"tasks": ["height"], "model": "net"},
        "classes": {"tasks": ["semantics"], "model": "net"},
        "likely": {
            "tasks": ["height"],
            "model": "net",
            "overrides": {"training": {"height_head": "laplace", "height_loss": "likelihood"}},
        },
        "each": {"ensemble": {"members": ["metres"]}},
        "all": {"ensemble": {"members": ["metres"], "seeds": "all"}},
    },
}


@pytest.mark.parametrize(
    ("keys", "networks", "name"),
    [
        ({}, 1, "single"),
        ({"dropout_passes": 2}, 1, "dropout"),
        ({"views": ["mirror"]}, 1, "tta"),
        ({}, 3, "ensemble"),
        ({"spread": ["overlap"]}, 1, "overlap"),
        ({"spread": ["head"]}, 1, "head"),
        (
            {"views": ["mirror"], "dropout_passes": 2, "spread": ["head", "overlap", "samples"]},
            2,
            "dropout + tta + ensemble + overlap + head",
        ),
    ],
)
def test_a_predictor_is_named_by_its_parts(keys: dict[str, Any], networks: int, name: str) -> None:
    assert predictor_name(PredictionSpec.parse(keys, "prediction"), networks) == name


@pytest.mark.parametrize(
    ("keys", "served", "refused"),
    [
        ({"spread": ["samples"]}, ("all", "classes"), ("metres", "each")),
        ({"spread": ["samples"], "views": ["mirror"]}, ("metres", "each"), ()),
        ({"spread": ["overlap"]}, ("metres", "classes"), ()),
        ({"spread": ["head"]}, ("likely", "classes"), ("metres", "all")),
        ({"layers": ["mutual_information"]}, ("metres",), ("classes",)),
        ({"layers": ["probabilities", "entropy"]}, ("metres", "classes"), ()),
    ],
)
def test_a_method_that_cannot_serve_a_predictor_is_refused_when_it_is_planned(
    keys: dict[str, Any], served: tuple[str, ...], refused: tuple[str, ...]
) -> None:
    project = parse_project(merge(PROJECT, {"prediction": keys}))
    for method in served:
        recipe_in_force(project, {}, method)
    for method in refused:
        with pytest.raises(ConfigError, match=r"prediction\.(spread: found (samples|head)|layers: found mutual)"):
            recipe_in_force(project, {}, method)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"spread": ["sample"]}, "spread.0: found 'sample'"),
        ({"spread": ["head", "head"]}, "spread: found head twice"),
        ({"layers": ["entropy", "entropy"]}, "layers: found entropy twice"),
    ],
)
def test_unknown_and_repeated_names_are_refused(keys: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        PredictionSpec.parse(keys, "prediction")


def test_a_spread_is_that_of_the_passes_unless_it_is_stated() -> None:
    assert PredictionSpec().spread_sources == ()
    assert PredictionSpec(dropout_passes=2).spread_sources == ("samples",)
    assert PredictionSpec.parse({"dropout_passes": 2, "spread": []}, "prediction").spread_sources == ()

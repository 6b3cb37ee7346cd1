"""The overlay that compares predictors: a row for each, calibrated on the real scene."""

from mtlaerial.config.predictors import predictor_name
from mtlaerial.config.recipe_overlay import merge_files
from mtlaerial.pipeline.calibration_notes import is_calibrated
from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.view_notes import view_notes
from support import tiny


def test_each_predictor_has_a_row_on_the_real_scene_and_all_are_calibrated() -> None:
    project = Project.of(merge_files([tiny.CONFIG / name for name in ("config.yaml", "autzen.yaml", "maps.yaml")]))
    predictors = {}
    for dataset, method in project.runs():
        recipe = project.recipe(dataset, method)
        predictors[method] = predictor_name(recipe.prediction, len(project.source_runs(dataset, method, 0)))
        assert "probabilities" in recipe.prediction.layers
        assert recipe.prediction.interval == 90
        assert recipe.training.epochs * recipe.training.epoch_patches // recipe.training.batch == 480
    assert predictors == {
        **{name: name for name in ("single", "overlap", "tta", "dropout", "head")},
        **{"seeds": "ensemble", "pair": "ensemble"},
    }
    assert is_calibrated(project, "autzen")
    assert view_notes(project, "autzen") == []
    trained = {method for _, method in project.trainings()}
    assert trained == {"single", "head", "lite0"}

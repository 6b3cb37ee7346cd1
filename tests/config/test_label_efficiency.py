"""The shipped study of label efficiency is a fair one: only the task's share differs between its rows."""

from mtlaerial.config import load_project
from mtlaerial.config.labelled import patches_per_layer
from mtlaerial.config.recipe_in_force import recipe_in_force
from support import tiny

SHARES = [100, 50, 25, 10, 5]


def test_rows_of_the_study_differ_in_tasks_and_shares_alone() -> None:
    config = load_project(tiny.CONFIG / "config.yaml", tiny.CONFIG / "label_efficiency.yaml")
    assert len(config.run.seeds) >= 5  # what the verdict "better" needs
    for task, curve in config.run.label_efficiency.items():
        for names in (curve.single, curve.joint):
            recipes = [recipe_in_force(config, {}, name).training for name in names]
            assert [recipe.labelled.get(task, 100) for recipe in recipes] == SHARES
            assert all(set(recipe.labelled) <= {task} for recipe in recipes)  # all truth of the other task
            assert len({recipe.model_copy(update={"labelled": {}}).model_dump_json() for recipe in recipes}) == 1
            assert recipes[0].labelled_seed is None
        (updates,) = {recipe_in_force(config, {}, name).training.steps for name in (*curve.single, *curve.joint)}
        assert updates == 600
    training = recipe_in_force(config, {}, "joint").training
    assert patches_per_layer(training.truth_patches, training.batch, ["semantics", "height"]) == 4
    curves = config.run.label_efficiency.values()
    assert set(config.run.methods) == {name for curve in curves for name in (*curve.single, *curve.joint)}

"""The plan of a run, from a configuration and a data set."""

from mtlaerial.config import ProjectConfig
from mtlaerial.config.class_names import recipe_on
from mtlaerial.config.require import require_tasks
from mtlaerial.config.selection import require_method
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.runs.plan import RunPlan


def plan_run(config: ProjectConfig, dataset: Dataset, method: str, seed: int, entry: str | None = None) -> RunPlan:
    """Return the plan of a run: the method's tasks that the data set has truth for, its network and its recipe.

    Parameters
    ----------
    config : ProjectConfig
    dataset : Dataset
    method : str
        A method of the configuration.
    seed : int
    entry : str, optional
        The data set's name in the configuration, whose changes of the recipe apply.

    Raises
    ------
    ConfigError
        When the method is an ensemble, the data set has truth for none of its tasks, an override has a wrong key or
        value, or the recipe names classes that are not the data set's.
    """
    require_method(config, method)
    described = config.methods[method]
    recipe = recipe_on(config, dataset.name, dataset.spec, method, entry)
    return RunPlan(
        dataset=dataset.name,
        method=method,
        seed=seed,
        tasks=require_tasks(method, described.tasks, dataset.spec, dataset.name),
        weighting=described.weighting,
        model=config.models[described.model],
        training=recipe.training,
        prediction=recipe.prediction,
    )

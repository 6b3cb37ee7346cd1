"""The plan of a run, from a configuration and a data set."""

from mtlaerial.config import ProjectConfig
from mtlaerial.config.require import require_tasks
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.runs.plan import RunPlan


def plan_run(config: ProjectConfig, dataset: Dataset, method: str, seed: int) -> RunPlan:
    """Return the plan of a run: the method's tasks that the data set has truth for, its network and its recipe.

    Parameters
    ----------
    config : ProjectConfig
    dataset : Dataset
    method : str
        A method of the configuration.
    seed : int

    Raises
    ------
    ConfigError
        When the data set has truth for none of the method's tasks, or an override has a wrong key or value.
    """
    entry = config.methods[method]
    recipe = config.recipe(dataset.spec.recipe, method)
    return RunPlan(
        dataset=dataset.name,
        method=method,
        seed=seed,
        tasks=require_tasks(method, entry.tasks, dataset.tasks, dataset.name),
        weighting=entry.weighting,
        model=config.models[entry.model],
        training=recipe.training,
        prediction=recipe.prediction,
    )

"""Checks of the training tiles against a plan: truth of its tasks, classes to balance, bands."""

from mtlaerial.config import Layer, task_entry
from mtlaerial.config.class_names import untrained_classes
from mtlaerial.config.labelled import patches_per_layer
from mtlaerial.config.tasks import tasks_with
from mtlaerial.errors import ConfigError, TrainingError
from mtlaerial.runs.plan import RunPlan
from mtlaerial.tiles.statistics import Statistics


def require_truth(plan: RunPlan, statistics: Statistics) -> None:
    """Refuse training tiles, or the part of them that is used, from which a plan cannot learn.

    Raises
    ------
    TrainingError
        When there is no truth of a task.
    ConfigError
        When all classes that occur have the weight 0, there is none to balance, the batch is too small for
        ``truth_patches``, or an augmentation needs several bands.
    """
    present: dict[Layer, bool] = {"labels": bool(statistics.classes), "height": statistics.height is not None}
    for task in plan.tasks:
        layer = task_entry(task).truth
        if not present[layer]:
            raise TrainingError(
                f"{statistics.dataset}, training tiles", f"no valid {layer}", f"{layer} to learn {task} from",
                f"Add the layer, or take {task} out of the method's tasks.",
            )  # fmt: skip
    untrained = untrained_classes(plan.training)
    occurring = [entry.name for entry in statistics.classes if entry.pixels]
    learned = set(occurring) - set(untrained)
    if tasks_with("classes", plan.tasks) and untrained and not learned:
        weights = f"0 for all classes of the training tiles ({', '.join(occurring)})"
        expected = "a weight above 0 for one of them"
        raise ConfigError("training.class_weights", weights, expected, "Correct the weights.")
    _require_bands(plan, statistics)
    patches_per_layer(plan.training.truth_patches, plan.training.batch, plan.tasks)
    if plan.training.sampling == "class_balanced" and not learned:
        labels = "valid labels of a trained class" if untrained else "valid labels"
        setting = f"class_balanced for {statistics.dataset}, whose training tiles have no {labels}"
        raise ConfigError("training.sampling", setting, "uniform, or labels to balance", "Write uniform.")


def _require_bands(plan: RunPlan, statistics: Statistics) -> None:
    saturation = plan.training.augmentation.saturation
    if saturation and len(statistics.bands) == 1:
        setting, remedy = f"{saturation:g} for an image of one band", "Remove it: colour and gamma change one band."
        raise ConfigError("training.augmentation.saturation", setting, "0, or several bands", remedy)

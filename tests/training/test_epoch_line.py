"""The line on an epoch: losses, and one score of each task, in the units that people read."""

from mtlaerial.config import WeightingSpec
from mtlaerial.runs.plan import RunPlan
from mtlaerial.training.epoch_line import epoch_line
from support import tiny

ROW = {
    "step": 50,
    "epoch": 2.0,
    "learning_rate": 1e-3,
    "loss_semantics": 1.3072,
    "loss_height": 1.6789,
    "norm_features_semantics": 0.02,
    "val_OA": 0.397,
    "val_mIoU": 0.1911,
    "val_MAE": 5.1914,
    "val_RMSE": 7.3,
    "val_score": 0.2,
}


def plan(*tasks: str) -> RunPlan:
    return RunPlan.model_validate(
        {
            "dataset": "town",
            "method": "equal",
            "seed": 0,
            "tasks": tasks,
            "weighting": WeightingSpec(),
            "model": tiny.MODEL,
            "training": {**tiny.TRAINING, "epochs": 120},
        }
    )


def test_the_line_has_miou_in_per_cent_and_mae_in_metres() -> None:
    line = epoch_line(ROW, plan("semantics", "height"), is_best=True)
    assert line == "epoch 2/120: loss semantics 1.31, height 1.68; val mIoU 19.1 %, MAE 5.19 m, best"
    assert len(line) <= 80


def test_a_line_without_validation_has_losses_alone() -> None:
    row = {key: value for key, value in ROW.items() if not key.startswith("val_")}
    assert epoch_line(row, plan("height"), is_best=True) == "epoch 2/120: loss height 1.68"


def test_a_task_without_truth_in_the_validation_tiles_has_no_score() -> None:
    row = {key: value for key, value in ROW.items() if key not in ("val_OA", "val_mIoU")}
    line = epoch_line(row, plan("semantics", "height"), is_best=False)
    assert line == "epoch 2/120: loss semantics 1.31, height 1.68; val MAE 5.19 m"

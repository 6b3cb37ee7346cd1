"""The files of a finished training: weights, history and cost."""

from pathlib import Path
from typing import TYPE_CHECKING

from mtlaerial.models.safetensors_io import require_finite_weights
from mtlaerial.runs.code_hash import code_hash
from mtlaerial.runs.cost import save_cost
from mtlaerial.runs.weights import Provenance, remove_description, save_run_weights

if TYPE_CHECKING:
    from mtlaerial.training.trainer import Trainer


def save_run(trainer: "Trainer", folder: Path) -> None:
    """Write weights, history and cost of a trained run; warn where its weights are worse than a constant prediction.

    Raises
    ------
    DataError
        When a weight is not finite, the folder cannot be written, or the disk is full.
    """
    last = trainer.evaluation.snapshot(trainer.epoch)
    snapshots = {"best": trainer.evaluation.best or last, "last": last}
    selected = snapshots[trainer.spec.selection]
    weights = {name: snapshot["weights"] for name, snapshot in snapshots.items()}
    for name, tensors in weights.items():
        require_finite_weights(folder / f"{name}.safetensors", tensors)
    remove_description(folder)  # that of an earlier run must not stand beside the new history
    trainer.history.save(folder / "history.csv")
    save_cost(trainer.meter.cost(), folder / "cost.json")
    epoch = int(selected["epoch"])
    provenance = Provenance(
        code=code_hash("training"),
        epoch=epoch,
        ended_early=trainer.epoch if trainer.ended_early else None,
        identity=trainer.identity,
        validation=trainer.evaluation.images,
        start=trainer.start,
        budget=trainer.budget,
        labelled=trainer.labelled,
        ground=trainer.ground,
        ground_notes=trainer.ground_notes,
    )
    save_run_weights(folder, provenance, selected["weights"], weights)
    trainer.warn_of_divergence(epoch, [trainer.history.row_of(epoch)])

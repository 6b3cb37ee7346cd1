"""Gradients of one update by some weightings, then a whole training.

``torchrun --nproc-per-node 2 -m support.two_processes FOLDER NAME...``; started alone it is the one process to compare
with. A name is that of a weighting, or that and its level: ``cagrad, features``; and perhaps that of a network of
``support.networks``: ``cagrad, features on gated``.
FOLDER holds prepared tiles and ``statistics.json``.
"""

import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.process_group import Group
from mtlaerial.training.train import train
from mtlaerial.training.trainer import Trainer
from support import networks, tiny
from support.weightings import OPTIONS


def weighting(name: str) -> dict[str, Any]:
    """Return the configuration of a weighting, or of one at a level."""
    method, _, level = name.partition(", ")
    if method == "graddrop":  # each element is masked at random at the features, of which two processes have halves
        level = "parameters"
    return {"name": method, **OPTIONS.get(method, {}), **({"level": level} if level else {})}


def gradients(name: str, statistics: Statistics, tile: Path) -> dict[str, Tensor]:
    """Return the gradients of the second update by a weighting, which may have a state by then."""
    method, _, network = name.partition(" on ")
    plan = networks.plan(network or "d3net", weighting=weighting(method), batch=4)
    trainer = Trainer(tiny.job(plan, statistics, [tile], []))
    # No dropout, and statistics of normalising layers that do not depend on the share; in double precision, since a
    # rounding error that flips a rectifier, or the sign of an L1 error, is not what is to be seen.
    trainer.network.eval().double()
    normalise = trainer.update.batches.normalise
    trainer.update.batches.normalise = lambda image: normalise(image).double()
    for step in range(2):
        trainer.optimiser.zero_grad()
        trainer.update.forward_backward(step, trainer.update.batches.draw(step))
    return {key: value.grad.clone() for key, value in trainer.network.named_parameters()}


def main() -> None:
    """Compute the gradients and train; the first process writes the results."""
    folder, names, group = Path(sys.argv[1]), sys.argv[2:], Group.current()
    statistics = Statistics.model_validate_json((folder / "statistics.json").read_text(encoding="utf-8"))
    updates = {name: gradients(name, statistics, folder / "city_1") for name in names}
    if group.main:
        torch.save(updates, folder / f"{group.size}.pt")
    plan = tiny.run_plan(batch=4, weighting={"name": "mgda_ub"})
    train(tiny.job(plan, statistics, [folder / "city_1"], [folder / "city_3"], folder / f"run{group.size}"))


if __name__ == "__main__":
    main()

"""Gradients of one update by every weighting, then a whole training.

``torchrun --nproc-per-node 2 -m support.two_processes FOLDER``; started alone it is the one process to compare with.
FOLDER holds prepared tiles and ``statistics.json``.
"""

import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mtlaerial.config.weighting import weighting_targets
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.process_group import Group
from mtlaerial.training.train import train
from mtlaerial.training.trainer import Trainer
from support import tiny

# Each element is masked at random at the features, of which two processes have halves.
OPTIONS: dict[str, dict[str, Any]] = {
    "fixed": {"weights": {"semantics": 0.5, "height": 2.0}},
    "graddrop": {"level": "parameters"},
}


def gradients(name: str, statistics: Statistics, tile: Path, level: str = "") -> dict[str, Tensor]:
    """Return the gradients of the second update by a weighting, which may have a state by then."""
    options = {"level": level} if level else OPTIONS.get(name, {})
    trainer = Trainer(tiny.job(tiny.run_plan(weighting={"name": name, **options}, batch=4), statistics, [tile], []))
    # No dropout, and statistics of normalising layers that do not depend on the share; in double precision, since a
    # rounding error that flips a rectifier, or the sign of an L1 error, is not what is to be seen.
    trainer.network.eval().double()
    normalise = trainer.update.batches.normalise
    trainer.update.batches.normalise = lambda image: normalise(image).double()
    for step in range(2):
        trainer.optimiser.zero_grad()
        trainer.update.backward(step, trainer.update.batches.draw(step))
    return {key: value.grad.clone() for key, value in trainer.network.named_parameters()}


def main() -> None:
    """Work out everything, and let the first process write it down."""
    folder, group = Path(sys.argv[1]), Group.current()
    statistics = Statistics.model_validate_json((folder / "statistics.json").read_text(encoding="utf-8"))
    found = {name: gradients(name, statistics, folder / "city_1") for name in weighting_targets()}
    found |= {
        f"{name}, features": gradients(name, statistics, folder / "city_1", "features") for name in ("cagrad", "upgrad")
    }
    if group.main:
        torch.save(found, folder / f"{group.size}.pt")
    plan = tiny.run_plan(batch=4, weighting={"name": "mgda_ub"})
    train(tiny.job(plan, statistics, [folder / "city_1"], [folder / "city_3"], folder / f"run{group.size}"))


if __name__ == "__main__":
    main()

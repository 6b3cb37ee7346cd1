"""The command line as one of two processes runs it in a test, changed so that the test can see more.

``torchrun --nproc-per-node 2 -m support.one_of_two exact|raise|kill train ...``; started alone, ``exact`` is the one
process to compare with.

exact
    Batch norms do not depend on the share of the batch, and double precision keeps roundings from growing.
raise, kill
    The process that is not the main one finds a damaged tile, or is killed, in the third update.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from mtlaerial.cli import main
from mtlaerial.errors import DataError
from mtlaerial.models import D3Net
from mtlaerial.models.normalisation import Normalisation
from mtlaerial.system import ranks
from mtlaerial.training import train as training
from mtlaerial.training import trainer


class ExactNormalisation(Normalisation):
    def __call__(self, image: Tensor) -> Tensor:
        return super().__call__(image).double()


class ExactTrainer(trainer.Trainer):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.network.double()
        self.average.network.double()
        self.update.batches.normalise = ExactNormalisation(*self.statistics.range)


class FailingTrainer(trainer.Trainer):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        draw = self.update.batches.draw
        self.update.batches.draw = lambda step: fail() if step == 2 and ranks.rank() else draw(step)


def fail() -> None:
    if fault == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise DataError(Path("tile.tif"), "a damaged file", "a tile", "Get it anew.")


if __name__ == "__main__":
    fault = sys.argv.pop(1)
    if fault == "exact":
        D3Net.train = lambda self, mode=True: nn.Module.train(self, False)
    vars(training)["Trainer"] = ExactTrainer if fault == "exact" else FailingTrainer
    main()

"""Descriptions of trained runs, ``run.yaml``, beside weights that fit the unchanged one."""

import random
from collections.abc import Sequence
from pathlib import Path

import torch
import yaml

from mtlaerial.runs.loading import load_run
from mtlaerial.runs.text import describe_run
from mtlaerial.runs.weights import DESCRIPTION
from support.fuzz_trees import changed, hostile_yaml
from support.fuzzing import Target
from support.small_runs import imported_run

CPU = torch.device("cpu")


class Fuzzed(Target):
    """The loading of a run for prediction, and its description in words."""

    suffix = ".yaml"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.run = imported_run(folder)
        self.valid = (self.run / DESCRIPTION).read_bytes()
        self.tree = yaml.safe_load(self.valid)

    def seeds(self) -> Sequence[bytes]:
        return [self.valid]

    def read(self, path: Path) -> None:
        (self.run / DESCRIPTION).write_bytes(path.read_bytes())
        describe_run(self.run)
        load_run(self.run, CPU)

    def structured(self, rng: random.Random) -> bytes:
        if rng.random() < 0.15:
            return hostile_yaml(rng, self.tree)
        return yaml.safe_dump(changed(rng, self.tree), sort_keys=False).encode("utf-8", "surrogatepass")

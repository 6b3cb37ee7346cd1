"""Specifications of data sets and configurations, as users write them and as strangers might."""

import random
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import yaml

from mtlaerial.config import load_dataset, load_project
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.tile_listing import has_wildcards, with_listed_tiles
from mtlaerial.errors import UserError
from support import tiny
from support.fuzz_trees import changed, hostile_yaml
from support.fuzzing import Target


class Fuzzed(Target):
    """The reading of either kind; of a specification also the paths and the CRS that follow from it."""

    suffix = ".yaml"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        paths = [*sorted((tiny.CONFIG / "datasets").glob("*.yaml")), *[tiny.CONFIG / "config.yaml"] * 2]
        self.valid = [path.read_bytes() for path in paths]
        self.trees = [yaml.safe_load(text) for text in self.valid]

    def seeds(self) -> Sequence[bytes]:
        return self.valid

    def read(self, path: Path) -> None:
        if b"\nlicence:" not in path.read_bytes():
            load_project(path)
            return
        spec = load_dataset(path)
        if has_wildcards(spec):
            with suppress(UserError):  # no image lies there
                with_listed_tiles(spec, self.folder, {}, "town")
            return
        dataset = Dataset("town", spec, self.folder)
        _ = dataset.crs, dataset.missing(), dataset.provided

    def structured(self, rng: random.Random) -> bytes:
        tree = rng.choice(self.trees)
        if rng.random() < 0.2:
            return hostile_yaml(rng, tree)
        return yaml.safe_dump(changed(rng, tree), sort_keys=False, allow_unicode=True).encode("utf-8", "surrogatepass")

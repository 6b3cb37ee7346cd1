"""Prepare the tiles of the real scene for the benchmarks that draw from them.

python benchmarks/scene.py --root datasets/autzen --out results/bench/tiles
"""

import argparse
from pathlib import Path

from mtlaerial.config import load_dataset
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.tiles.prepare import prepare_tile


def main() -> None:
    """Prepare every tile that does not exist yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True, help="the scene's folder")
    parser.add_argument("--out", type=Path, required=True, help="gets a folder per tile")
    options = parser.parse_args()
    dataset = Dataset("autzen", load_dataset(Path("config/datasets/autzen.yaml")), options.root)
    for tile in dataset.spec.tiles:
        if not (options.out / tile).exists():
            prepare_tile(dataset, tile, options.out / tile)


if __name__ == "__main__":
    main()

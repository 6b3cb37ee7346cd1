"""Operations, hours and memory of each row of the original's configuration: the tables of docs/reproduction.md.

Networks, steps and windows are those of the configuration, and torch counts their operations (a multiplication and an
addition each). Times of a step and of a window and the peak memory were measured with ``equal`` (docs/benchmarks.md);
nothing is measured here.

    python benchmarks/row_costs.py [config/original_single.yaml]
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from arithmetic import table
from measured import MEASURED, MEMORY_RATIOS, PEAK, STEP, STEP_RATIOS, SUSTAINED, WINDOW
from network_counts import Network, counted

from mtlaerial.config import (
    TASKS,
    D3NetSpec,
    DatasetSpec,
    PredictionSpec,
    ProjectConfig,
    Recipe,
    Task,
    load_dataset,
    load_project,
)
from mtlaerial.config.recipe_in_force import recipe_in_force
from mtlaerial.prediction.blending.windows import even, original

CONFIG = Path("config/config.yaml")
CELL_BYTES: dict[Task, int] = {"semantics": 1, "height": 4}
DEVIATION_BYTES = 4
"""Bytes of a cell of the height's deviation."""
WEIGHT_FILES = 3
"""Copies of the weights that a training leaves: of the run, of the best and of the last epoch."""


@dataclass(frozen=True)
class Tile:
    """Rows and columns of a typical test tile in image pixels, and the image pixels of a map cell."""

    rows: int
    columns: int
    cell: int


TILES = {"dfc2018": Tile(12_020, 11_920, 100), "vaihingen": Tile(2_557, 1_887, 1)}


@dataclass(frozen=True)
class Cost:
    """Operations, hours at the sustained speed, and hours on an H200."""

    flop: float
    hours: float
    hours_h200: float


@dataclass(frozen=True)
class Row:
    """Costs of one run: its training, the maps of the test tiles, memory and disk."""

    dataset: str
    method: str
    steps: int
    training: Cost
    maps: Cost
    gpu_bytes: float
    disk_bytes: float

    def cells(self) -> list[str]:
        """Return the row as text."""
        pairs = [
            (self.training.flop / 1e15, self.maps.flop / 1e15),
            (self.training.hours, self.maps.hours),
            (self.training.hours_h200, self.maps.hours_h200),
        ]
        sums = [f"{short(training)} + {short(maps)}" if self.steps else short(maps) for training, maps in pairs]
        memory = short(self.gpu_bytes / 1e9) if self.steps else "–"
        return [f"`{self.method}`", f"{self.steps:,}", *sums, memory, f"{self.disk_bytes / 1e9:.2f}"]


def short(value: float) -> str:
    """Return a number with two digits or more.

    >>> [short(value) for value in (1234.5, 12.3, 1.23, 0.123, 0.0123, 0.001)]
    ['1,234', '12', '1.2', '0.12', '0.01', '<0.01']
    """
    if value < 0.01:
        return "<0.01"
    places = 0 if value >= 10 else 1 if value >= 1 else 2
    return f"{value:,.{places}f}"


def row(config: ProjectConfig, dataset: str, method: str, spec: DatasetSpec) -> Row:
    """Return the costs of a method on a data set for one seed."""
    entry, recipe = config.methods[method], recipe_in_force(config, spec.recipe, method, dataset)
    channels: dict[Task, int] = {"semantics": len(spec.labels.classes) if spec.labels else 0, "height": 1}
    network = counted(
        config.models[entry.model], tuple((task, channels[task]) for task in TASKS if task in entry.tasks)
    )
    weighting, tiles = entry.weighting.name, len(spec.splits["test"])
    steps = 0 if entry.trained_as else recipe.training.steps
    cells = tiles * TILES[dataset].rows * TILES[dataset].columns / TILES[dataset].cell
    per_cell = sum(CELL_BYTES[task] for task in entry.tasks)
    per_cell += DEVIATION_BYTES if recipe.prediction.spread_sources else 0
    files = 1 if entry.trained_as else WEIGHT_FILES
    return Row(
        dataset=dataset,
        method=method,
        steps=steps,
        training=training_cost(network, recipe, steps, STEP_RATIOS[weighting]),
        maps=maps_cost(network, recipe.prediction, TILES[dataset], tiles),
        gpu_bytes=gpu_bytes(network, recipe) * MEMORY_RATIOS.get(weighting, 1),
        disk_bytes=files * network.weight_bytes + cells * per_cell,
    )


def training_cost(network: Network, recipe: Recipe, steps: int, ratio: float) -> Cost:
    """Return the cost of a training; a backward pass has twice the operations of a forward pass.

    On the H200 a step waits for the host, so that smaller batches and networks are hardly faster.
    """
    flop = steps * 3 * network.flop * recipe.training.batch * recipe.training.patch**2
    return Cost(flop, ratio * flop / SUSTAINED / 3600, ratio * steps * STEP / 3600)


def maps_cost(network: Network, prediction: PredictionSpec, tile: Tile, tiles: int) -> Cost:
    """Return the cost of the maps of some tiles, without blending, which is small beside the network."""
    window, stride = prediction.window, prediction.stride
    multiple = D3NetSpec().multiple
    layout = original(window, stride) if prediction.blend == "original" else even(window, window - stride, multiple)
    down, across = layout(tile.rows), layout(tile.columns)
    pixels = len(down.starts) * down.window * len(across.starts) * across.window
    flop = tiles * pixels * network.pass_flop(prediction.dropout_passes)
    measured = counted(D3NetSpec(), MEASURED).flop * 1024**2
    return Cost(flop, flop / SUSTAINED / 3600, flop / measured * WINDOW / 3600)


def gpu_bytes(network: Network, recipe: Recipe) -> float:
    """Return the peak memory of a step, in proportion to the counted bytes of what was measured."""
    measured = counted(D3NetSpec(), MEASURED).training_bytes(6, 320)
    return PEAK * network.training_bytes(recipe.training.batch, recipe.training.patch) / measured


HEAD = ["method", "steps", "PFLOP", "hours at 10 TFLOP/s", "hours on an H200", "GPU memory (GB)", "disk (GB)"]


def tables(overlays: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """Yield the title and the table of each data set, and of all; with overlays, the rows that these change."""
    config = load_project(CONFIG, *overlays)
    rows = all_rows(config)
    unchanged = set(all_rows(load_project(CONFIG))) if overlays else set()
    for dataset in config.run.datasets:
        entries = [entry for entry in rows if entry.dataset == dataset]
        shown = [entry.cells() for entry in entries if entry not in unchanged]
        hours, hours_h200, disk = totals(entries)
        yield dataset, table(HEAD, [*shown, ["all, one seed", "", "", hours, hours_h200, "", disk]])
    seeds = len(config.run.seeds)
    head = ["", HEAD[3], HEAD[4], HEAD[6]]
    yield "all", table(head, [[f"all, {seeds} seeds", *totals(rows, seeds)]])


def all_rows(config: ProjectConfig) -> list[Row]:
    """Return the costs of each selected method on each selected data set for one seed."""
    specs = {dataset: load_dataset(config.datasets[dataset].spec) for dataset in config.run.datasets}
    return [row(config, dataset, method, spec) for dataset, spec in specs.items() for method in config.run.methods]


def totals(rows: Sequence[Row], seeds: int = 1) -> list[str]:
    """Return the sums of hours at the sustained speed, hours on an H200, and disk, as text."""
    hours = seeds * sum(entry.training.hours + entry.maps.hours for entry in rows)
    hours_h200 = seeds * sum(entry.training.hours_h200 + entry.maps.hours_h200 for entry in rows)
    disk = seeds * sum(entry.disk_bytes for entry in rows)
    return [short(hours), short(hours_h200), short(disk / 1e9)]


def main() -> None:
    """Print the tables of the configuration, or the changes by overlays."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("overlays", nargs="*", type=Path)
    for title, text in tables(parser.parse_args().overlays):
        print(f"{title}\n\n{text}\n")


if __name__ == "__main__":
    main()

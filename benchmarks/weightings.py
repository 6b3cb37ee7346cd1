"""Cost of a training step under each task weighting: time, relative to equal weights, and peak memory.

Steps are timed in rounds, one step of each weighting after the other in one process, so that other load of the machine
slows all alike: medians over the rounds, after two to warm up. The full network, of which only one fits into memory, is
timed in a process per weighting; memory is always measured so, once: differences below a tenth are none. Data are
generated, weights random.

    python benchmarks/weightings.py [--network small|full] [--accelerator cuda] [--rounds 20] [--only cagrad ...]
"""

import argparse
import statistics
import time
from pathlib import Path
from typing import Any, NamedTuple, get_args

from apart import Watch, apart
from record import save

NETWORKS: dict[str, dict[str, Any]] = {
    "full": {},
    "small": {
        "stem": 24, "growth": 12, "blocks": [3, 3, 3, 3], "bottleneck": 2, "shared": [48, 32, 32], "head": [16, 16],
        "dropout": 0.1,
    },
}  # fmt: skip
RECIPES = {"full": {"patch": 320, "batch": 6, "threads": 2}, "small": {"patch": 128, "batch": 8, "threads": 2}}
BASELINE = "equal"


class Case(NamedTuple):
    """A weighting, at one of its levels."""

    name: str
    level: str

    @property
    def label(self) -> str:
        """Name in the table."""
        return f"{self.name} ({self.level})" if self.level else self.name


def main() -> None:
    """Measure and print each line as soon as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", choices=NETWORKS, default="small")
    parser.add_argument("--accelerator", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", nargs="*", default=[], help="weightings besides the baseline; by default all")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    chosen = [case for case in cases() if not options.only or case.name in (BASELINE, *options.only)]
    together = options.network == "small"
    seconds = apart(rounds, options.network, options.accelerator, chosen, options.rounds) if together else {}
    rows: list[dict[str, Any]] = []
    for case in chosen:
        alone = apart(rounds, options.network, options.accelerator, [case], 2 if together else options.rounds)
        row = {"name": case.name, "level": case.level, "seconds": {**alone, **seconds}[case.label]}
        rows.append(row | {"above_rest_mb": alone["above_rest_mb"]})
        row = rows[-1]
        ratio = row["seconds"] / rows[0]["seconds"]
        print(f"{case.label}: {row['seconds']:.4f} s ({ratio:.2f}), {row['above_rest_mb']:.0f} MB", flush=True)
    save(options.json, "weightings", rows, network=options.network, accelerator=options.accelerator)


def cases() -> list[Case]:
    """Return every weighting at each of its levels; the baseline first."""
    from mtlaerial.config.weighting import WEIGHTINGS
    from mtlaerial.weighting import weighting_class

    every = []
    for name in WEIGHTINGS:
        level = weighting_class(name).Options.model_fields.get("level")
        levels = get_args(level.annotation) if level else [""]
        every += [Case(name, one) for one in levels]
    return sorted(every, key=lambda case: case.name != BASELINE)


def rounds(folder: Path, network: str, accelerator: str, chosen: list[Case], number: int) -> dict[str, Any]:
    """Return the median seconds of a step under each weighting, and the peak above rest of all, in megabytes."""
    trainers = build_trainers(folder, network, chosen, accelerator=accelerator)
    watch = Watch(accelerator)
    times: dict[str, list[float]] = {case.label: [] for case in chosen}
    for step in range(number + 2):
        for case, trainer in trainers.items():
            begun = time.perf_counter()
            trainer.update(step)
            watch.wait()
            times[case.label].append(time.perf_counter() - begun)
    medians = {label: statistics.median(taken[2:]) for label, taken in times.items()}
    return medians | {"above_rest_mb": watch.above_rest_mb}


def build_trainers(folder: Path, network: str, chosen: list[Case], **recipe: Any) -> dict[Case, Any]:
    """Return a trainer for each weighting on a generated tile, with changes to the recipe."""
    from mtlaerial.config import TASKS, TrainingSpec, WeightingSpec, load_dataset
    from mtlaerial.config.model import D3NetSpec
    from mtlaerial.datasets.catalog import Dataset
    from mtlaerial.runs.plan import RunPlan
    from mtlaerial.synthetic.generate import synthesise
    from mtlaerial.tiles.measure import summarise
    from mtlaerial.tiles.prepare import prepare_tile
    from mtlaerial.training.job import TrainingJob
    from mtlaerial.training.trainer import Trainer

    spec = load_dataset(Path("config/datasets/city.yaml"))
    tile = spec.splits["train"][0]
    dataset = Dataset("city", spec.model_copy(update={"splits": {"train": (tile,)}}), folder / "raw")
    synthesise(dataset, seed=0, size=1024)
    prepare_tile(dataset, tile, folder / tile)
    measured = summarise(dataset, [folder / tile])
    model = D3NetSpec.parse(NETWORKS[network], "model")
    training = TrainingSpec.parse({**RECIPES[network], "accelerator": "cpu", **recipe}, "training")
    trainers = {}
    for case in chosen:
        options = {"level": case.level} if case.level else {}
        if case.name == "fixed":
            options = {"weights": {"semantics": 1.0, "height": 0.5}}
        weighting = WeightingSpec.parse({"name": case.name, **options}, "weighting")
        plan = RunPlan(
            dataset="city",
            method=case.name,
            seed=0,
            tasks=tuple(TASKS),
            weighting=weighting,
            model=model,
            training=training,
        )
        job = TrainingJob(plan=plan, statistics=measured, training_tiles=(folder / tile,), folder=folder)
        trainers[case] = Trainer(job)
        trainers[case].network.train()
    return trainers


if __name__ == "__main__":
    main()

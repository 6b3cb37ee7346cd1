"""What a training step of the paper's network costs, against a plain loop over the same network.

The plain loop is float32 in the memory format that torch begins with, an unfused Adam, float patches cut from float
arrays. The others are this project's own trainer, which draws, turns and normalises its patches from bytes: in float32,
in bf16, with checkpointing, and on request compiled. Every variant runs in processes of its own, in turn, so that what
else the machine does meets all alike: medians over the steps of all rounds, without the first of each process. For the
small network, what share of a step forward and backward passes have.

    python benchmarks/training_step.py [--rounds 3] [--steps 2] [--compile] [--json FILE]
"""

import argparse
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from apart import apart, peak_above
from record import bf16_units, save
from weightings import NETWORKS, RECIPES, Case, build_trainers

PLAIN = "plain loop"
VARIANTS: dict[str, dict[str, Any]] = {
    "float32": {},
    "float32, checkpointing": {"checkpointing": True},
    "float32, channels first": {"channels_last": False},
    "float32, channels first, checkpointing": {"channels_last": False, "checkpointing": True},
    "bf16": {"precision": "bf16-mixed"},
    "bf16, checkpointing": {"precision": "bf16-mixed", "checkpointing": True},
}
COMPILED = {"bf16, compiled": {"precision": "bf16-mixed", "compile": True}}
CLASSES = 6
CASE = Case("equal", "")


def main() -> None:
    """Measure in rounds, then print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=2, help="timed steps of a variant in a round")
    parser.add_argument("--compile", action="store_true", help="measure torch.compile too, which takes minutes")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    variants = {PLAIN: None, **VARIANTS, **(COMPILED if options.compile else {})}
    if not bf16_units():
        print("No bf16 units here: what needs them is left out.")
        variants = {name: how for name, how in variants.items() if "bf16" not in name}
    measured: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for _ in range(options.rounds):
        for name, recipe in variants.items():
            measured[name].append(apart(plain if recipe is None else ours, recipe, options.steps))
    rows = [summary(name, found) for name, found in measured.items()]
    for row in rows:
        row |= {f"{key}_ratio": row[key] / rows[0][key] for key in ("seconds", "above_rest_mb")}
        speed = f"{row['seconds']:.2f} s ({1 / row['seconds_ratio']:.2f} x as fast)"
        print(f"{row['name']}: {speed}, {row['above_rest_mb']:.0f} MB ({row['above_rest_mb_ratio']:.2f})")
    shares = apart(parts)
    print("small network: " + ", ".join(f"{name} {share:.1%}" for name, share in shares.items()))
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")
    save(options.json, "training_step", rows, small=shares)


def summary(name: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the median time of all rounds, and the largest peak."""
    seconds = [one for row in found for one in row["seconds"]]
    peak = max(row["above_rest_mb"] for row in found)
    first = statistics.median(row["first"] for row in found)
    return {"name": name, "seconds": statistics.median(seconds), "first": first, "above_rest_mb": peak}


def timed(step: Callable[[int], object], number: int) -> dict[str, Any]:
    """Return the seconds of the first step, of the others, and the peak above rest in megabytes."""
    rest = psutil.Process().memory_info().rss
    seconds = []
    for index in range(number + 1):
        begun = time.perf_counter()
        step(index)
        seconds.append(time.perf_counter() - begun)
    return {"first": seconds[0], "seconds": seconds[1:], "above_rest_mb": peak_above(rest)}


def ours(folder: Path, recipe: dict[str, Any], steps: int) -> dict[str, Any]:
    """Measure steps of the trainer."""
    trainer = build_trainers(folder, "full", [CASE], **recipe)[CASE]
    return timed(trainer.update, steps)


def plain(folder: Path, _: None, steps: int) -> dict[str, Any]:
    """Measure steps of a loop as one would write it."""
    import torch
    from torch.nn import functional

    from mtlaerial.config import ModelSpec
    from mtlaerial.models import build_model

    recipe = RECIPES["full"]
    patch, batch, side = recipe["patch"], recipe["batch"], 1024
    torch.set_num_threads(recipe["threads"])
    network = build_model(ModelSpec(**NETWORKS["full"]), 3, {"semantics": CLASSES, "height": 1}).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-4, betas=(0.5, 0.999))
    image, height = torch.rand(3, side, side) * 2 - 1, torch.rand(side, side)
    labels = torch.randint(CLASSES, (side, side))

    def step(_: int) -> None:
        corners = torch.randint(side - patch, (batch, 2)).tolist()
        cuts = [(..., slice(row, row + patch), slice(column, column + patch)) for row, column in corners]
        images, heights, classes = (torch.stack([layer[cut] for cut in cuts]) for layer in (image, height, labels))
        optimiser.zero_grad()
        outputs = network(images)
        loss = functional.cross_entropy(outputs["semantics"], classes)
        loss = loss + functional.l1_loss(outputs["height"][:, 0], heights)
        loss.backward()
        optimiser.step()

    return timed(step, steps)


def parts(folder: Path, steps: int = 20) -> dict[str, float]:
    """Return the shares of a step of the small network that drawing, passes and the optimiser take."""
    trainer = build_trainers(folder, "small", [CASE])[CASE]
    update, seconds = trainer.update, defaultdict(list)

    def watched(name: str, run: Callable[..., Any]) -> Callable[..., Any]:
        def measure(*arguments: Any, **options: Any) -> Any:
            begun = time.perf_counter()
            result = run(*arguments, **options)
            seconds[name].append(time.perf_counter() - begun)
            return result

        return measure

    update.draw = watched("drawing", update.draw)
    update.gradients = watched("forward and backward", update.gradients)
    whole = watched("whole", update)
    for step in range(steps):
        whole(step)
    medians = {name: statistics.median(taken[2:]) for name, taken in seconds.items()}
    total = medians.pop("whole")
    shares = {name: taken / total for name, taken in medians.items()}
    return {**shares, "optimiser": 1 - sum(shares.values())}


if __name__ == "__main__":
    main()

"""Cost of a training step of the original's network, against a plain loop over the same network.

The plain loop is float32 in torch's default memory format, with an unfused Adam and float patches cut from float
arrays. The other variants are this project's trainer, which draws, turns and normalises its patches from bytes: in
float32, in bf16, with checkpointing, and on request compiled. Variants run in separate processes, in turn, so that
other load of the machine slows all alike: medians over the steps of all rounds, without the first of each process. Of
the small network the shares of a step's parts are printed. On a GPU the plain loop is also measured with bf16 and
channels last, steps are timed by tens, as kernels run asynchronously, and no shares are printed.

    python benchmarks/training_step.py [--accelerator cuda] [--rounds 3] [--steps 2] [--batch 6] [--compile]
"""

import argparse
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from apart import Watch, apart
from record import bf16_units, save
from weightings import NETWORKS, RECIPES, Case, build_trainers

PLAIN: dict[str, dict[str, Any]] = {"plain loop": {}}
PLAIN_ON_GPU = {**PLAIN, "plain loop, bf16": {"precision": "bf16-mixed"}}
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
TOGETHER = {"cpu": 1, "cuda": 10}
"""Number of steps that are timed together."""
CASE = Case("equal", "")


def main() -> None:
    """Measure the variants in rounds and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accelerator", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=2, help="timed steps of a variant in a round")
    parser.add_argument("--batch", type=int, default=RECIPES["full"]["batch"])
    parser.add_argument("--compile", action="store_true", help="measure torch.compile too, which takes minutes")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    variants = selected(options.accelerator, options.compile)
    measured: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for _ in range(options.rounds):
        for name, (work, how) in variants.items():
            recipe = {"accelerator": options.accelerator, "batch": options.batch, **how}
            measured[name].append(apart(work, recipe, options.steps))
    rows = [summary(name, trials) for name, trials in measured.items()]
    for row in rows:
        row |= {f"{key}_ratio": row[key] / rows[0][key] for key in ("seconds", "above_rest_mb")}
        speed = f"{row['seconds']:.4f} s ({1 / row['seconds_ratio']:.2f} x as fast)"
        print(f"{row['name']}: {speed}, {row['above_rest_mb']:.0f} MB ({row['above_rest_mb_ratio']:.2f})")
    shares = apart(parts) if options.accelerator == "cpu" else {}
    if shares:
        print("small network: " + ", ".join(f"{name} {share:.1%}" for name, share in shares.items()))
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")
    save(options.json, "training_step", rows, small=shares, accelerator=options.accelerator, batch=options.batch)


def selected(accelerator: str, compiled: bool) -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    """Return the functions to measure and their recipes, by variant; the baseline first."""
    loops = PLAIN_ON_GPU if accelerator == "cuda" else PLAIN
    recipes = {**VARIANTS, **(COMPILED if compiled else {})}
    variants: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {name: (plain, how) for name, how in loops.items()}
    variants |= {name: (ours, how) for name, how in recipes.items()}
    if bf16_units():
        return variants
    print("No bf16 units here: what needs them is left out.")
    return {name: variant for name, variant in variants.items() if "bf16" not in name}


def summary(name: str, trials: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the median seconds over all rounds, and the largest peak."""
    seconds = [one for row in trials for one in row["seconds"]]
    peak = max(row["above_rest_mb"] for row in trials)
    first = statistics.median(row["first"] for row in trials)
    return {"name": name, "seconds": statistics.median(seconds), "first": first, "above_rest_mb": peak}


def timed(step: Callable[[int], object], number: int, accelerator: str) -> dict[str, Any]:
    """Return the seconds of the first step and of the others, and the peak above rest in megabytes."""
    watch, together = Watch(accelerator), TOGETHER[accelerator]

    def taken(steps: range) -> float:
        begun = time.perf_counter()
        for index in steps:
            step(index)
        watch.wait()
        return (time.perf_counter() - begun) / len(steps)

    first = taken(range(1))
    seconds = [taken(range(begin, begin + together)) for begin in range(1, number * together + 1, together)]
    return {"first": first, "seconds": seconds, "above_rest_mb": watch.above_rest_mb}


def ours(folder: Path, recipe: dict[str, Any], steps: int) -> dict[str, Any]:
    """Measure steps of the trainer."""
    trainer = build_trainers(folder, "full", [CASE], **recipe)[CASE]
    return timed(trainer.update, steps, recipe["accelerator"])


def plain(folder: Path, recipe: dict[str, Any], steps: int) -> dict[str, Any]:
    """Measure steps of a plain training loop."""
    import torch
    from torch.nn import functional

    from mtlaerial.config import D3NetSpec
    from mtlaerial.models import build_model

    device, batch, half = torch.device(recipe["accelerator"]), recipe["batch"], "precision" in recipe
    patch, side = RECIPES["full"]["patch"], 1024
    torch.set_num_threads(RECIPES["full"]["threads"])
    order = torch.channels_last if half else torch.contiguous_format
    network = build_model(D3NetSpec(**NETWORKS["full"]), 3, {"semantics": CLASSES, "height": 1}).train()
    network = network.to(device, memory_format=order)
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-4, betas=(0.5, 0.999))
    image, height = torch.rand(3, side, side, device=device) * 2 - 1, torch.rand(side, side, device=device)
    labels = torch.randint(CLASSES, (side, side), device=device)

    def step(_: int) -> None:
        corners = torch.randint(side - patch, (batch, 2)).tolist()
        cuts = [(..., slice(row, row + patch), slice(column, column + patch)) for row, column in corners]
        images = torch.stack([image[cut] for cut in cuts])
        heights = torch.stack([height[cut] for cut in cuts])
        classes = torch.stack([labels[cut] for cut in cuts])
        optimiser.zero_grad()
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            outputs = network(images.contiguous(memory_format=order))
        loss = functional.cross_entropy(outputs["semantics"].float(), classes)
        loss = loss + functional.l1_loss(outputs["height"][:, 0].float(), heights)
        loss.backward()
        optimiser.step()

    return timed(step, steps, recipe["accelerator"])


def parts(folder: Path, steps: int = 20) -> dict[str, float]:
    """Return the shares of drawing, passes and optimiser in a step of the small network."""
    trainer = build_trainers(folder, "small", [CASE])[CASE]
    update, seconds = trainer.update, defaultdict(list)

    def watched(name: str, run: Callable[..., Any]) -> Callable[..., Any]:
        def measure(*arguments: Any, **options: Any) -> Any:
            begun = time.perf_counter()
            result = run(*arguments, **options)
            seconds[name].append(time.perf_counter() - begun)
            return result

        return measure

    update.batches.draw = watched("drawing", update.batches.draw)
    update.forward_backward = watched("forward and backward", update.forward_backward)
    whole = watched("whole", update)
    for step in range(steps):
        whole(step)
    medians = {name: statistics.median(taken[2:]) for name, taken in seconds.items()}
    total = medians.pop("whole")
    shares = {name: taken / total for name, taken in medians.items()}
    return {**shares, "optimiser": 1 - sum(shares.values())}


if __name__ == "__main__":
    main()

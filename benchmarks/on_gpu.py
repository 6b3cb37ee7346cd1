"""All that is to be known of a GPU, in under eight minutes: a question, a table.

steps: what compiled code and CUDA graphs make of a training step of the original's network. starts: how long a second
process takes for its first step, with the code of the first one. weightings: whether CUDA graphs leave the numbers of
each kind of weighting as they are, and repeat them to the byte. maps: Mpixel/s of a generated image to cloud-optimised
maps, as today, with batches by free memory, and compiled.

No measurement begins after --minutes; the table and the record say what is missing. With --small, a small network and
image go the same way, on a CPU too.

    python benchmarks/on_gpu.py --json results/bench/on_gpu.json
    python benchmarks/on_gpu.py --accelerator cpu --small --only weightings
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from apart import Watch, apart
from record import save
from training_step import timed
from weightings import Case, build_trainers

Row = dict[str, Any]
WEIGHTINGS = ("equal", "uw", "gradnorm", "famo", "mgda", "pcgrad", "imtl", "moco")
"""One of each kind: constant, learned, by norms, by losses seen again, by Gramians, by rows, mixed, with a state."""
GRAPHS = {"compile": True, "cuda_graphs": True}
WAYS: dict[str, Row] = {"as today": {}, "compiled": {"compile": True}, "CUDA graphs": GRAPHS}
MAPS: dict[str, Row] = {
    "as today": {"batch": 1},
    "batch by free memory": {"batch": "auto"},
    "compiled, batch by free memory": {"batch": "auto", "engine": "inductor"},
}
TOLERANCE = 1e-2
"""Relative difference of weights after some updates in bf16, of which compiled code rounds less often."""


class Clock:
    """The time that is left."""

    def __init__(self, minutes: float) -> None:
        self._end = time.monotonic() + 60 * minutes

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to begin."""
        return time.monotonic() > self._end


def main() -> None:
    """Answer the questions, and keep the record after each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accelerator", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--small", action="store_true", help="a small network and a small image")
    parser.add_argument("--only", nargs="*", default=list(QUESTIONS), choices=QUESTIONS)
    parser.add_argument("--minutes", type=float, default=7.0, help="no measurement begins later")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    clock, rows = Clock(options.minutes), []
    with tempfile.TemporaryDirectory() as cache:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = cache  # empty, and handed to all processes
        for question in options.only:
            print(f"\n{question}", flush=True)
            for name, measure in QUESTIONS[question](options.accelerator, options.small):
                row = {"question": question, "what": name, **(_missing() if clock.is_over else attempt(measure))}
                rows.append(row)
                print(f"  {name}: {described(row)}", flush=True)
            settings = {key: getattr(options, key) for key in ("accelerator", "small", "only")}
            save(options.json, "on_gpu", with_ratios(rows), **settings)


def _missing() -> Row:
    return {"missing": "no time was left"}


def attempt(measure: Callable[[], Row]) -> Row:
    """Return what a measurement finds; of one that fails the error, so that the others go on."""
    try:
        return measure()
    except Exception as error:
        return {"missing": f"{type(error).__name__}: {error}"[:500]}


def described(row: Row) -> str:
    """Return the findings of a row as text."""
    findings = {key: value for key, value in row.items() if key not in ("question", "what")}
    return ", ".join(
        f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in findings.items()
    )


def with_ratios(rows: list[Row]) -> list[Row]:
    """Return rows with their time, or speed, relative to the first of the same question and batch."""
    baselines: dict[Any, Row] = {}
    related = []
    for row in rows:
        first = baselines.setdefault((row["question"], row.get("batch_of_steps")), row)
        ratios = {
            f"{key}_ratio": row[key] / first[key]
            for key in ("seconds", "mpixel_per_second")
            if row.keys() & first.keys() >= {key}
        }
        related.append({**row, **ratios})
    return related


def steps(accelerator: str, small: bool) -> Iterator[tuple[str, Callable[[], Row]]]:
    """Yield measurements of a step, by batch and way."""
    for batch in (2, 4) if small else (6, 32):
        for name, how in WAYS.items():
            recipe = {"accelerator": accelerator, "batch": batch, "precision": "bf16-mixed", **how}
            yield f"{name}, batch of {batch}", partial(apart, step_seconds, small, recipe)


def starts(accelerator: str, small: bool) -> Iterator[tuple[str, Callable[[], Row]]]:
    """Yield the first steps of two processes, of another batch than in ``steps``, whose code is not there yet."""
    recipe = {"accelerator": accelerator, "batch": 3 if small else 8, "precision": "bf16-mixed", **GRAPHS}
    for name in ("first process", "second process"):
        yield name, partial(apart, step_seconds, small, recipe)


def step_seconds(folder: Path, small: bool, recipe: Row) -> Row:
    """Return the median seconds of a step, those of the first, and the peak memory."""
    case = Case("equal", "")
    trainer = build_trainers(folder, "small" if small else "full", [case], **recipe)[case]
    measured = timed(trainer.update, 1 if small else 3, recipe["accelerator"])
    seconds = sorted(measured["seconds"])[len(measured["seconds"]) // 2]
    return {
        "seconds": seconds,
        "first": measured["first"],
        "above_rest_mb": measured["above_rest_mb"],
        "batch_of_steps": recipe["batch"],
    }


def weightings(accelerator: str, small: bool) -> Iterator[tuple[str, Callable[[], Row]]]:
    """Yield comparisons of weights after some updates, one per weighting."""
    for name in WEIGHTINGS:
        yield name, partial(apart, agreement, accelerator, name)


def agreement(folder: Path, accelerator: str, name: str, updates: int = 4) -> Row:
    """Return how far CUDA graphs take the small network from where it goes as today, and whether they do so again."""
    case = Case(name, "")

    def weights(place: str, **how: Any) -> torch.Tensor:
        torch._dynamo.reset()
        recipe = {"accelerator": accelerator, "batch": 2, "precision": "bf16-mixed", **how}
        trainer = build_trainers(folder / place, "small", [case], **recipe)[case]
        for layer in trainer.network.modules():
            if isinstance(layer, torch.nn.Dropout):
                layer.p = 0.0  # compiled code draws other numbers
        for number in range(updates):
            trainer.update(number)
        return torch.cat([parameter.detach().flatten().cpu() for parameter in trainer.network.parameters()])

    plain, graphs, again = weights("plain"), weights("graphs", **GRAPHS), weights("again", **GRAPHS)
    difference = float((graphs - plain).norm() / plain.norm())
    return {
        "difference": difference,
        "within_tolerance": difference < TOLERANCE,
        "repeated": bool((graphs == again).all()),
    }


def maps(accelerator: str, small: bool) -> Iterator[tuple[str, Callable[[], Row]]]:
    """Yield measurements of maps of a generated image."""
    for name, how in MAPS.items():
        yield name, partial(apart, mapped, accelerator, small, how)


def mapped(folder: Path, accelerator: str, small: bool, how: Row) -> Row:
    """Return the Mpixel/s of cloud-optimised maps but the first, windows at once, and the peak memory."""
    from predict_memory import write_image, write_run
    from weightings import NETWORKS

    from mtlaerial.config import D3NetSpec
    from mtlaerial.prediction.predictor import Predictor
    from mtlaerial.prediction.settings import prediction_for

    size = 512 if small else 8192
    write_image(folder / "image.tif", size)
    sizes = D3NetSpec(**NETWORKS["small" if small else "full"]).model_dump()
    write_run(folder / "run", accelerator=accelerator, **sizes)
    compute = {"device": accelerator, "precision": "bf16-mixed", "threads": 2 if small else 8, **how}
    predictor = Predictor(folder / "run", prediction_for(folder / "run", blend="even", compute=compute))
    watch, seconds = Watch(accelerator), []
    for _ in range(2 if small else 3):
        begun = time.perf_counter()
        predictor.predict_image(folder / "image.tif", folder / "maps")
        seconds.append(time.perf_counter() - begun)
    speed = size**2 / 1e6 / min(seconds[1:])
    return {
        "mpixel_per_second": speed,
        "first": seconds[0],
        "batch": predictor.batch,
        "above_rest_mb": watch.above_rest_mb,
    }


QUESTIONS: dict[str, Callable[[str, bool], Iterator[tuple[str, Callable[[], Row]]]]] = {
    "steps": steps,
    "starts": starts,
    "maps": maps,
    "weightings": weightings,
}

if __name__ == "__main__":
    main()

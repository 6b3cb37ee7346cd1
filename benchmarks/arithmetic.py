"""Operations and memory traffic of the original's network, counted, and the times that they predict for GPUs.

Torch counts the operations on tensors without memory, a multiplication and an addition each. Traffic is the sum of all
bytes that operators other than views read and write in bf16: an upper bound, since fused kernels move less, and caches
keep some. Each time is predicted twice: by arithmetic, at a stated share of the GPU's peak, and by traffic, at its full
bandwidth; the larger counts (the roofline model). Nothing here is measured.

    python benchmarks/arithmetic.py [--efficiency 0.35] [--json FILE]
"""

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from record import save
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from mtlaerial.config import D3NetSpec, PredictionSpec, TrainingSpec
from mtlaerial.models import build_model
from mtlaerial.prediction.blending.windows import Layout, even, original

CLASSES = 20
"""Classes of DFC2018."""
TILE = (12_020, 11_920)
"""Rows and columns of a tile of DFC2018."""
MULTIPLE = D3NetSpec().multiple
"""Divisor of a window's sides."""
OPTIMISER_BYTES = 28
"""Traffic of Adam per parameter in float32: reads weight, gradient and two moments, writes weight and moments."""


@dataclass(frozen=True)
class Gpu:
    """A GPU's dense bf16 peak with float32 sums, in TFLOP/s, and its memory's bandwidth, in GB/s."""

    name: str
    peak: float
    bandwidth: float
    source: str


GPUS = (
    Gpu("H100 SXM", 989.4, 3350, "NVIDIA H100 data sheet; half of the 1,979 with sparsity"),
    Gpu("H200 SXM", 989.4, 4800, "NVIDIA H200 data sheet; half of the 1,979 with sparsity"),
    Gpu("A100 SXM 80 GB", 312, 2039, "NVIDIA A100 data sheet"),
    Gpu("RTX 4090", 165.2, 1008, "NVIDIA Ada GPU Architecture, V2.01, appendix A"),
    Gpu("RTX 3060 12 GB", 25.5, 360, "NVIDIA's page: 101 'tensor TFLOPS'; / 2 for sparsity, / 2 for float32 sums"),
)


@dataclass(frozen=True)
class Work:
    """Floating-point operations, and bytes moved."""

    flop: float
    moved: float

    def times(self, number: float) -> "Work":
        """Return the work multiplied by a number."""
        return Work(self.flop * number, self.moved * number)

    def seconds(self, gpu: Gpu, efficiency: float) -> tuple[float, float]:
        """Return the seconds of arithmetic at a share of the peak, and of traffic at full bandwidth."""
        return self.flop / (gpu.peak * 1e12 * efficiency), self.moved / (gpu.bandwidth * 1e9)


class Traffic(TorchDispatchMode):
    """Counter of the bytes that operators other than views read and write."""

    def __init__(self) -> None:
        super().__init__()
        self.moved = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operator and count its input and output tensors."""
        result = func(*args, **(kwargs or {}))
        if not func.is_view:
            tensors = [leaf for leaf in tree_leaves((args, kwargs, result)) if isinstance(leaf, Tensor)]
            self.moved += sum(tensor.numel() * tensor.element_size() for tensor in tensors)
        return result


def counted(run: Callable[[], object]) -> Work:
    """Return the operations and the traffic of a function's call."""
    with FlopCounterMode(display=False) as flops, Traffic() as traffic:
        run()
    return Work(flops.get_total_flops(), traffic.moved)


def training_step(network: nn.Module, batch: int, patch: int, bands: int = 3) -> Work:
    """Return the work of a forward and backward pass over a batch, without the losses, which are small."""
    image = _images(network, batch, patch, patch, bands)

    def run() -> None:
        outputs = [output.sum() for output in tree_leaves(network(image))]
        torch.stack(outputs).sum().backward()

    return counted(run)


def forward_pass(network: nn.Module, batch: int, rows: int, columns: int, bands: int = 3) -> Work:
    """Return the work of a forward pass without gradients."""
    image = _images(network, batch, rows, columns, bands)
    with torch.no_grad():
        return counted(lambda: network(image))


def _images(network: nn.Module, batch: int, rows: int, columns: int, bands: int) -> Tensor:
    weight = next(network.parameters())
    return torch.empty(batch, bands, rows, columns, dtype=weight.dtype, device=weight.device)


def original_network() -> nn.Module:
    """Return D3Net at the original's size with both tasks of DFC2018, in bf16, without memory."""
    with torch.device("meta"):
        return build_model(D3NetSpec(), 3, {"semantics": CLASSES, "height": 1}).to(torch.bfloat16)


def main() -> None:
    """Count, predict and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--efficiency", type=float, default=0.35, help="share of the peak that arithmetic reaches")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    counts, jobs = works(original_network(), TrainingSpec())
    lines = [count_row(name, work) for name, work in {**counts, **jobs}.items()]
    print(table(["", "TFLOP", "GB moved", "FLOP/byte"], lines))
    rows = [predicted(gpu, name, work, options.efficiency) for gpu in GPUS for name, work in jobs.items()]
    print(f"\nPredicted, not measured: arithmetic at {options.efficiency:.0%} of the dense bf16 peak / traffic\n")
    print(prediction_table(rows))
    listed = {name: {"flop": work.flop, "bytes": work.moved} for name, work in {**counts, **jobs}.items()}
    save(options.json, "arithmetic", rows, predicted=True, efficiency=options.efficiency, counts=listed)


def works(network: nn.Module, training: TrainingSpec) -> tuple[dict[str, Work], dict[str, Work]]:
    """Return the work of units (a patch, a megapixel) and of whole jobs (a training, the maps of a tile)."""
    batch, patch = training.batch, training.patch
    theirs, ours = PredictionSpec(), PredictionSpec.fitted()
    step = training_step(network.train(), batch, patch)
    counts = {
        f"{patch} px patch, forward": forward_pass(network, batch, patch, patch).times(1 / batch),
        f"{patch} px patch, forward and backward": step.times(1 / batch),
        "map, per Mpixel of windows": forward_pass(network.eval(), 1, theirs.window, theirs.window).times(
            1e6 / theirs.window**2
        ),
    }
    parameters = sum(weight.numel() for weight in network.parameters())
    steps = training.epochs * math.ceil(training.epoch_patches / batch)
    whole = Work(step.flop, step.moved + OPTIMISER_BYTES * parameters).times(steps)
    layouts = {
        f"tile, windows up to {ours.window} px (default)": even(ours.window, ours.window - ours.stride, MULTIPLE),
        f"tile, {theirs.window} px every {theirs.stride} (the original's)": original(theirs.window, theirs.stride),
    }
    jobs = {name: tile(network, layout) for name, layout in layouts.items()}
    return counts, {f"training, {training.epochs * training.epoch_patches:,} patches": whole, **jobs}


def tile(network: nn.Module, layout: Layout) -> Work:
    """Return the work of a tile's maps, without blending, which is small beside the network."""
    down, across = (layout(length) for length in TILE)
    windows = len(down.starts) * len(across.starts)
    return forward_pass(network.eval(), 1, down.window, across.window).times(windows)


def predicted(gpu: Gpu, job: str, work: Work, efficiency: float) -> dict[str, Any]:
    """Return a line of the prediction."""
    arithmetic, traffic = work.seconds(gpu, efficiency)
    return {
        "gpu": gpu.name,
        "peak_tflops": gpu.peak,
        "bandwidth_gb_s": gpu.bandwidth,
        "source": gpu.source,
        "job": job,
        "seconds_arithmetic": arithmetic,
        "seconds_traffic": traffic,
        "seconds": max(arithmetic, traffic),
        "bound": "arithmetic" if arithmetic > traffic else "traffic",
    }


def count_row(name: str, work: Work) -> list[str]:
    """Return a line of the counts as text."""
    return [name, f"{work.flop / 1e12:,.4g}", f"{work.moved / 1e9:,.4g}", f"{work.flop / work.moved:.0f}"]


def prediction_table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the predictions as Markdown: a line per GPU, for each job arithmetic / traffic."""
    names = list(dict.fromkeys(row["job"] for row in rows))
    head = ["GPU", "TFLOP/s", "GB/s", "FLOP/byte at the ridge", *names, "source"]
    lines = []
    for gpu in GPUS:
        jobs = {row["job"]: row for row in rows if row["gpu"] == gpu.name}
        times = [f"{_time(jobs[n]['seconds_arithmetic'])} / {_time(jobs[n]['seconds_traffic'])}" for n in names]
        ridge = f"{gpu.peak * 1e3 / gpu.bandwidth:.0f}"
        lines.append([gpu.name, f"{gpu.peak:g}", f"{gpu.bandwidth:,}", ridge, *times, gpu.source])
    return table(head, lines)


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *lines])


def _time(seconds: float) -> str:
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} s"


if __name__ == "__main__":
    main()

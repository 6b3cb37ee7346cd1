"""Depthwise convolutions in float32 under autocast to bf16 on the CPU, against bf16, the baseline.

Each different depthwise convolution of EfficientNet-Lite0 is measured by itself, forward and backward; then the whole
encoder, forward and backward, and in inference, where this project leaves bf16; and the encoder all in float32. The two
variants of a comparison take turns. Medians of the processor's time in one thread, which other load of the machine
changes least, without the first round.

    python benchmarks/depthwise.py [--patch 256] [--batch 4] [--rounds 9] [--channels-first] [--json FILE]
"""

import argparse
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from arithmetic import table
from record import bf16_units, save
from torch import Tensor, nn

from mtlaerial.models.depthwise import DepthwiseConv2d
from mtlaerial.models.encoders.efficientnet_lite import efficientnet_lite0

Work = Callable[[], object]


class Bf16Conv2d(nn.Conv2d):
    """A convolution as autocast runs it."""


class Float32Conv2d(nn.Conv2d):
    """A convolution in float32 under autocast, without gradients too."""

    def forward(self, features: Tensor) -> Tensor:
        """Return features in bf16."""
        with torch.autocast("cpu", enabled=False):
            return super().forward(features.float()).bfloat16()


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patch", type=int, default=256)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--channels-first", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if not bf16_units():
        print("No bf16 units here: torch emulates them, many times slower.")
    torch.set_num_threads(1)
    order = torch.contiguous_format if options.channels_first else torch.channels_last
    image = torch.randn(options.batch, 3, options.patch, options.patch).contiguous(memory_format=order)
    rows = [measured(name, works, options.rounds) for name, works in comparisons(image)]
    print(table(["", "bf16 (ms)", "float32 (ms)", "times as fast"], [cells(row) for row in rows]))
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")
    settings = {name: getattr(options, name) for name in ("patch", "batch", "rounds", "channels_first")}
    save(options.json, "depthwise", rows, **settings)


def comparisons(image: Tensor) -> Iterator[tuple[str, Mapping[str, Work]]]:
    """Yield names, and the same work with depthwise convolutions in bf16 and in float32."""
    for name, (layer, features) in depthwise_layers(image).items():
        bf16 = training(with_depthwise(layer, Bf16Conv2d), features)
        yield name, {"bf16": bf16, "float32": training(layer, features)}
    encoder = efficientnet_lite0(image.shape[1])
    bf16 = with_depthwise(encoder, Bf16Conv2d)
    yield "encoder", {"bf16": training(bf16, image), "float32": training(encoder, image)}
    yield "encoder all in float32", {"bf16": training(bf16, image), "float32": training(encoder, image, autocast=False)}
    float32 = with_depthwise(encoder, Float32Conv2d)
    yield "encoder, inference", {"bf16": inference(bf16, image), "float32": inference(float32, image)}


def depthwise_layers(image: Tensor) -> dict[str, tuple[DepthwiseConv2d, Tensor]]:
    """Return the different depthwise convolutions of Lite0, with features of their size in bf16."""
    cases: dict[str, tuple[DepthwiseConv2d, Tensor]] = {}

    def note(layer: DepthwiseConv2d, inputs: tuple[Tensor], _: Tensor) -> None:
        kernel, side = layer.kernel_size[0], inputs[0].shape[-1]
        name = f"{kernel} x {kernel}, stride {layer.stride[0]}, {layer.in_channels} x {side}²"
        cases.setdefault(name, (layer, inputs[0].bfloat16().clone()))

    encoder = efficientnet_lite0(image.shape[1])
    layers = [layer for layer in encoder.modules() if isinstance(layer, DepthwiseConv2d)]
    hooks = [layer.register_forward_hook(note) for layer in layers]
    with torch.no_grad():
        encoder(image)
    for hook in hooks:
        hook.remove()
    return cases


def with_depthwise(network: nn.Module, conv_class: type[nn.Conv2d]) -> nn.Module:
    """Return a copy whose depthwise convolutions are of another class."""
    copy = deepcopy(network)
    for layer in copy.modules():
        if isinstance(layer, DepthwiseConv2d):
            layer.__class__ = conv_class
    return copy


def training(network: nn.Module, image: Tensor, autocast: bool = True) -> Work:
    """Return a forward and backward pass, as of a layer or network amid others: the image has a gradient too."""
    image = image.detach().clone().requires_grad_()

    def work() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            outputs = network.train()(image)
        tensors = [outputs] if isinstance(outputs, Tensor) else list(outputs)
        torch.autograd.backward(tensors, [torch.ones_like(tensor) for tensor in tensors])

    return work


def inference(network: nn.Module, image: Tensor) -> Work:
    """Return a forward pass without gradients."""

    def work() -> None:
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            network.eval()(image)

    return work


def measured(name: str, works: Mapping[str, Work], rounds: int) -> dict[str, Any]:
    """Return the median seconds of processor time of works that take turns."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for _ in range(1 + rounds):
        for variant, work in works.items():
            begun = time.process_time()
            work()
            seconds[variant].append(time.process_time() - begun)
    medians = {variant: statistics.median(times[1:]) for variant, times in seconds.items()}
    return {"name": name, **medians, "times_as_fast": medians["bf16"] / medians["float32"]}


def cells(row: Mapping[str, Any]) -> list[str]:
    """Return a line of the table."""
    return [row["name"], f"{row['bf16'] * 1e3:.1f}", f"{row['float32'] * 1e3:.1f}", f"{row['times_as_fast']:.2f}"]


if __name__ == "__main__":
    main()

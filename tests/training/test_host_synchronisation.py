"""Host synchronisation: between rows of the history the host does not wait for the device."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from mtlaerial.config import Augmentation
from mtlaerial.models import build_model
from mtlaerial.models.normalisation import Normalisation
from mtlaerial.sampling import Batch, PatchSampler
from mtlaerial.tiles.tile import Tile
from mtlaerial.training.fabric import reproducible_fabric
from mtlaerial.training.losses import TaskLosses
from mtlaerial.training.step_batches import StepBatches
from mtlaerial.training.train_step import TrainStep, Update
from mtlaerial.training.weight_average import WeightAverage
from mtlaerial.weighting import build_weighting
from support import losses as recipes
from support import tiny
from support.weightings import OPTIONS, every_weighting

DEVICE = torch.device("meta")
"""A device whose tensors have no values: whoever asks for one, as the host does when it waits, gets an error."""
TASKS = ("semantics", "height")
VALUES = Augmentation(colour=0.1, gamma=0.1, saturation=0.1, blur=1)
"""Changes of values; noise, which needs a generator on the device, has none on this one."""
ON_HOST = {
    "rgw", "mgda", "mgda_ub", "cr_mogm", "pcgrad", "gradvac", "cagrad", "imtl_g", "imtl", "nash_mtl", "fairgrad",
    "aligned_mtl", "upgrad", "dualproj", "config", "pcd", "excess_mtl", "db_mtl", "moco", "modo", "sdmgrad",
    "feature_normalisation", "gradnorm", "graddrop", "famo",
}  # fmt: skip
"""Whose weights are decided on the host, once per update; see docs/weighting.md."""


class Copies(TorchDispatchMode):
    """Refuses copies to the device that the host would wait for."""

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = kwargs or {}
        result = function(*args, **options)
        to_device = isinstance(result, Tensor) and result.device == DEVICE
        if to_device and any(isinstance(each, Tensor) and each.device.type == "cpu" and each.dim() for each in args):
            assert options.get("non_blocking") or args[2:3] == (True,), f"{function} waits for a copy"
        return result


@pytest.mark.parametrize("where", ["in the host's memory", "on the device"])
@pytest.mark.parametrize("options", [{"rotation": 0, "quarter_turns": True}, {}, {"image_resampling": "bilinear"}])
def test_the_host_does_not_wait_for_patches(options: dict[str, Any], where: str) -> None:
    device = torch.device("cpu") if where == "in the host's memory" else DEVICE
    image = torch.zeros(50, 70, 3, dtype=torch.uint8, device=device)
    height, labels = torch.zeros(25, 35, 1, device=device), torch.zeros(25, 35, 1, dtype=torch.uint8, device=device)
    tile = Tile("tile", image, height, labels, (0.5, 0.5, 0.0, 0.0), (0.5, 0.5, 0.0, 0.0), {})
    sampler = PatchSampler([tile], 32, Augmentation.parse(options, "augmentation"), device=DEVICE)
    with Copies():
        batch = sampler.draw(4, torch.Generator().manual_seed(0))
    assert {batch.image.device, batch.height.device, batch.labels.device} == {DEVICE}


class Patches:
    """Draws patches that lie on the device."""

    device = DEVICE
    tiles = ()

    def draw(self, batch: int, generator: torch.Generator, share: slice) -> Batch:
        image, height = torch.empty(batch, 3, 32, 32, device=DEVICE), torch.empty(batch, 32, 32, device=DEVICE)
        return Batch(image, height, torch.empty(batch, 32, 32, device=DEVICE, dtype=torch.uint8))[share]


def updates(name: str, **training: Any) -> Iterator[Update]:
    """Yield updates of a network on the device."""
    plan = tiny.run_plan(weighting={"name": name, **OPTIONS.get(name, {})}, **training)
    network = build_model(plan.model, 3, {"semantics": 5, "height": 1}).to(DEVICE).train()
    weighting = build_weighting(plan.weighting, TASKS)
    weighting.to(DEVICE)
    losses = TaskLosses(plan.training, torch.ones(5), zero_height=True).to(DEVICE)
    fabric = reproducible_fabric(plan.training, 0)
    optimiser: Any = torch.optim.SGD([*network.parameters(), *weighting.parameters()], momentum=0.9)
    optimiser.optimizer = optimiser  # Fabric's wrapper names the optimiser so, and refuses one on this device
    batches = StepBatches(plan, Patches(), Normalisation(0, 255), losses, weighting.batches)  # type: ignore[arg-type]  # a stand-in
    average = WeightAverage(network, 0.9)
    update = TrainStep(plan, fabric, network, optimiser, losses, weighting, batches, average)
    with Copies():
        for step in range(2):
            yield update(step)


@pytest.mark.quick_cases(1, "a training a case")
@pytest.mark.parametrize("name", every_weighting(without=ON_HOST))
def test_the_host_does_not_wait_for_an_update(name: str) -> None:
    for update in updates(name, height_mean="all", augmentation=VALUES.model_dump()):
        assert update.losses.device == DEVICE


@pytest.mark.quick_cases(2, "a training a case")
@pytest.mark.parametrize("name", every_weighting(among=ON_HOST))
def test_weightings_on_the_host_make_the_test_fail(name: str) -> None:
    with pytest.raises((RuntimeError, NotImplementedError, AssertionError)):
        list(updates(name))


@pytest.mark.parametrize(("task", "keys"), recipes.EVERY, ids=recipes.IDS)
def test_the_host_does_not_wait_for_a_loss(task: str, keys: dict[str, Any]) -> None:
    losses = recipes.losses_of(task, keys).to(DEVICE)
    drawn, output = recipes.random_batch(), recipes.random_output(task, keys).detach().to(DEVICE).requires_grad_()
    batch = Batch(drawn.image.to(DEVICE), drawn.height.to(DEVICE), drawn.labels.to(DEVICE))
    with Copies():
        losses({task: output}, batch)[task].backward()
    assert output.grad is not None
    assert output.grad.device == DEVICE

"""Batch norms folded into convolutions: the same outputs, with fewer layers."""

import copy

import pytest
import torch
from torch import nn

from mtlaerial.models import D3Net, build_model
from mtlaerial.models.batchnorm_folding import folded
from mtlaerial.prediction.monte_carlo_dropout import dropout_forward
from support import tiny

CPU = torch.device("cpu")


def trained() -> D3Net:
    """Return a network whose batch norms differ from the identity, as after training."""
    torch.manual_seed(0)
    model = build_model(tiny.model_spec(dropout=0.5), 3, {"semantics": 5, "height": 1})
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for values, low, high in (
                (layer.weight, 0.5, 1.5), (layer.bias, -0.5, 0.5),
                (layer.running_mean, -0.5, 0.5), (layer.running_var, 0.5, 2.0),
            ):  # fmt: skip
                nn.init.uniform_(values, low, high)
    return model


class NormWithActivation(nn.BatchNorm2d):
    """As some packages derive it."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return super().forward(values).relu()


class StandardisedConvolution(nn.Conv2d):
    """A convolution whose kernels are not its parameter as it is."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self._conv_forward(values, self.weight - self.weight.mean(), self.bias)


@pytest.mark.parametrize("layers", [(nn.Conv2d, NormWithActivation), (StandardisedConvolution, nn.BatchNorm2d)])
def test_layers_that_do_more_are_left_as_they_are(layers: tuple[type[nn.Conv2d], type[nn.BatchNorm2d]]) -> None:
    convolution, norm = layers
    model = nn.Sequential(convolution(3, 8, 3), norm(8)).eval()
    nn.init.uniform_(model[1].running_mean, -0.5, 0.5)
    image = torch.randn(1, 3, 16, 16)
    with torch.inference_mode():
        torch.testing.assert_close(folded(model)(image), model(image))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_outputs_are_those_of_the_network(layout: torch.memory_format) -> None:
    model, image = trained().to(memory_format=layout), torch.randn(2, 3, 64, 96)
    before = copy.deepcopy(model.state_dict())
    with torch.inference_mode():
        outputs, expected = folded(model)(image), model.eval()(image)
    for task, reference in expected.items():
        torch.testing.assert_close(outputs[task], reference, rtol=1e-5, atol=1e-5 * float(reference.abs().max()))
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_only_norms_that_follow_no_convolution_are_left() -> None:
    names = {name for name, module in folded(trained()).named_modules() if isinstance(module, nn.BatchNorm2d)}
    encoder = "trunk.encoder."
    dense = {f"{encoder}blocks.{i}.0.norm1" for i in range(4)}
    assert names == dense | {f"{encoder}transitions.{i}.norm" for i in range(3)} | {f"{encoder}norm5"}


def test_weights_keep_their_layout() -> None:
    model = folded(trained().to(memory_format=torch.channels_last))
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            assert layer.weight.is_contiguous(memory_format=torch.channels_last)


def test_passes_with_dropout_are_those_of_the_network() -> None:
    model, image = trained().eval(), torch.randn(1, 3, 64, 64)
    runs = [list(dropout_forward(each, "32-true", CPU, 2, 7)(image)) for each in (model, folded(model))]
    with torch.no_grad():
        for expected, output in zip(*runs, strict=True):
            torch.testing.assert_close(output["height"], expected["height"], rtol=1e-5, atol=1e-4)
    assert not torch.equal(runs[0][0]["height"], runs[0][1]["height"])

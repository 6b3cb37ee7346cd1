"""Random initial weights of a network, besides PyTorch's own."""

from torch import nn

DEVIATION = 0.02
"""Standard deviation of the weights (Radford et al. 2016, arXiv 1511.06434, section 3)."""


def draw_normal_weights(network: nn.Module) -> None:
    """Draw the weights of a network anew, in place, from torch's default generator.

    Weights of convolutions, transposed ones too, are from N(0, 0.02), scales of batch norms from N(1, 0.02); biases
    are 0. As the original's code: ``networks/weight_initialization.py``, method ``normal``.

    Parameters
    ----------
    network : nn.Module
        Its buffers, such as the running means of batch norms, are left alone.

    Examples
    --------
    >>> norm = nn.BatchNorm2d(3)
    >>> draw_normal_weights(norm)
    >>> norm.bias.tolist()
    [0.0, 0.0, 0.0]
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d):
            mean = 1.0 if isinstance(module, nn.BatchNorm2d) else 0.0
            nn.init.normal_(module.weight, mean, DEVIATION)
            if module.bias is not None:
                nn.init.zeros_(module.bias)

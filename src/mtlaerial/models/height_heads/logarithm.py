"""Head of a channel that is the logarithm of the height.

The logarithm is continued to negative heights as an odd function: sign(h) log(1 + |h|), the symlog of Hafner et al.,
"Mastering Diverse Domains through World Models", 2023, arXiv 2301.04104.
"""

import torch
from torch import Tensor

from mtlaerial.models.height_heads.head import HeightHead


class LogarithmHead(HeightHead):
    """sign(h) log(1 + |h|) of the height h in units: linear about 0, logarithmic far above one unit."""

    def estimate(self, output: Tensor) -> Tensor:
        """Return the logarithm."""
        return self._bounded(output[:, 0])

    def on_scale(self, heights: Tensor) -> Tensor:
        """Return the logarithm of heights in units."""
        return heights.sign() * heights.abs().log1p()

    def values(self, output: Tensor) -> Tensor:
        """Return the heights in units."""
        logarithm = self.estimate(output).unsqueeze(1)
        return logarithm.sign() * torch.expm1(logarithm.abs())

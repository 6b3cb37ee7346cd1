"""Head of a channel that is the height itself."""

from torch import Tensor

from mtlaerial.models.height_heads.head import HeightHead


class LinearHead(HeightHead):
    """The height in units."""

    def estimate(self, output: Tensor) -> Tensor:
        """Return the height in units."""
        return self._bounded(output[:, 0])

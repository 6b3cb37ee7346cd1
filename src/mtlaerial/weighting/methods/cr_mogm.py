"""CR-MOGM: weights of another method, averaged over steps."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field
from torch import Tensor
from torchjd.aggregation import CRMOGMWeighting

from mtlaerial.weighting.methods.cagrad import CAGrad
from mtlaerial.weighting.methods.mgda import MGDA
from mtlaerial.weighting.methods.pcgrad import PCGrad
from mtlaerial.weighting.torchjd_adapter import buffers, drawing_from, restore
from mtlaerial.weighting.torchjd_weighting import TorchJDWeighting
from mtlaerial.weighting.weight_reuse import CostlyOptions

_METHODS: dict[str, type[TorchJDWeighting]] = {"mgda": MGDA, "pcgrad": PCGrad, "cagrad": CAGrad}


class CRMOGM(TorchJDWeighting):
    """The weights of MGDA, PCGrad or CAGrad, averaged over steps: those of one batch alone are noise.

    ``w <- alpha w + (1 - alpha) w'`` with w' the method's weights for the batch: Zhou et al. 2022, "On the convergence
    of stochastic multi-objective gradient manipulation and beyond", NeurIPS 35,
    https://papers.nips.cc/paper_files/paper/2022/hash/f91bd64a3620aad8e70a27ad9cb3ca57-Abstract-Conference.html,
    published for these three methods at the parameters. The first w is the first w'. The publication lets alpha rise
    towards 1 as the learning rate falls; here it is constant. By TorchJD. A batch without one of the tasks has the
    method's own weights, and does not count.
    """

    paper = "Zhou et al. 2022"
    state = "the last weights"

    class Options(CostlyOptions):
        """The level of the gradients, the method whose weights are averaged, and the decay of the average."""

        of: Literal["mgda", "pcgrad", "cagrad"] = "mgda"
        """The method, with its own defaults."""
        alpha: float = Field(default=0.9, ge=0, lt=1)
        """How much the past counts; TorchJD's default."""

    solve: CRMOGMWeighting[Any]

    def solver(self) -> CRMOGMWeighting[Any]:
        """Return TorchJD's average of the method's solver."""
        method = _METHODS[self.options.of]
        return CRMOGMWeighting(method(self.tasks, method.Options()).solve, self.options.alpha)

    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the average, where all tasks take part."""
        if bool(active.all()):
            return super().weights(gramian, losses, active)
        with drawing_from(self.step.generator):
            weights: Tensor = self.solve.weighting(gramian / gramian.trace())
        return weights

    def state_dict(self) -> dict[str, Any]:
        """Return the average; nothing before the first step."""
        average = buffers(self.solve)
        noted = {"weights": average["_lambda"]} if average else {}
        return {**super().state_dict(), **noted}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state."""
        super().load_state_dict(state)
        restore(self.solve, {"_lambda": state["weights"]} if "weights" in state else {})

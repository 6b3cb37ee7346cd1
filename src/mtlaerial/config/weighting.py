"""The registry of task weightings, and the section ``weighting`` of a method."""

from typing import Any, Literal

from pydantic import ConfigDict, field_validator

from mtlaerial.config.base import Section
from mtlaerial.config.faults import Unfit
from mtlaerial.config.registry import Registry
from mtlaerial.errors import ConfigError

GROUP = "mtlaerial.weightings"
"""Group of the entry points by which other packages register weightings."""
_HERE = "mtlaerial.weighting.methods"
WEIGHTINGS: dict[str, str] = {
    "equal": f"{_HERE}.constant:Equal",
    "fixed": f"{_HERE}.constant:Fixed",
    "rlw": f"{_HERE}.random:RLW",
    "dwa": f"{_HERE}.dwa:DWA",
    "uw": f"{_HERE}.uncertainty:UW",
    "uw_so": f"{_HERE}.uncertainty:UWSO",
    "imtl_l": f"{_HERE}.imtl:IMTLL",
    "gls": f"{_HERE}.gls:GLS",
    "stch": f"{_HERE}.stch:STCH",
    "famo": f"{_HERE}.famo:FAMO",
    "gradient_penalty": f"{_HERE}.gradient_penalty:GradientPenalty",
    "rgw": f"{_HERE}.random:RGW",
    "feature_normalisation": f"{_HERE}.feature_normalisation:FeatureNormalisation",
    "gradnorm": f"{_HERE}.gradnorm:GradNorm",
    "mgda": f"{_HERE}.mgda:MGDA",
    "mgda_ub": f"{_HERE}.mgda:MGDAUB",
    "cr_mogm": f"{_HERE}.cr_mogm:CRMOGM",
    "pcgrad": f"{_HERE}.pcgrad:PCGrad",
    "gradvac": f"{_HERE}.gradvac:GradVac",
    "cagrad": f"{_HERE}.cagrad:CAGrad",
    "imtl_g": f"{_HERE}.imtl:IMTLG",
    "imtl": f"{_HERE}.imtl:IMTL",
    "nash_mtl": f"{_HERE}.nash_mtl:NashMTL",
    "fairgrad": f"{_HERE}.fairgrad:FairGrad",
    "aligned_mtl": f"{_HERE}.aligned_mtl:AlignedMTL",
    "upgrad": f"{_HERE}.dual_cone:UPGrad",
    "dualproj": f"{_HERE}.dual_cone:DualProj",
    "config": f"{_HERE}.conflict_free:ConFIG",
    "pcd": f"{_HERE}.pcd:PCD",
    "graddrop": f"{_HERE}.graddrop:GradDrop",
    "excess_mtl": f"{_HERE}.excess_mtl:ExcessMTL",
    "db_mtl": f"{_HERE}.db_mtl:DBMTL",
    "moco": f"{_HERE}.moco:MoCo",
    "modo": f"{_HERE}.double_sampling:MoDo",
    "sdmgrad": f"{_HERE}.double_sampling:SDMGrad",
}
"""Modules and classes by name; a class is imported only when it is used."""
REGISTRY = Registry("weighting", GROUP, WEIGHTINGS, "List them with: mtlaerial weightings")

BATCHES = {"modo": 3, "sdmgrad": 3}
"""Independent batches per update of the weightings above that draw more than one; as :attr:`Weighting.batches`."""

Level = Literal["features", "parameters"]
"""Place of the tasks' gradients: with respect to the trunk's output, or to the trunk's parameters."""
LEVELS: dict[Level, tuple[str, ...]] = {
    "features": ("rgw", "feature_normalisation", "gradnorm", "mgda_ub", "imtl_g", "imtl", "graddrop"),
    "parameters": (
        "mgda", "cr_mogm", "pcgrad", "gradvac", "cagrad", "nash_mtl", "fairgrad", "aligned_mtl", "upgrad", "dualproj",
        "config", "pcd", "excess_mtl", "db_mtl", "moco", "modo", "sdmgrad",
    ),
}  # fmt: skip
"""Weightings above by the default of their option ``level``."""


def batches_per_update(name: str) -> int | None:
    """Return the independent batches that a weighting draws per update; None where no weighting has that name."""
    if name in WEIGHTINGS:  # without an import of its class, which needs torch
        return BATCHES.get(name, 1)
    try:
        return int(REGISTRY.load(name).batches)
    except Exception:  # anything may happen while another package is imported
        return None


class WeightingSpec(Section):
    """A task weighting: the combination of the tasks' losses to one update; see :mod:`mtlaerial.weighting`.

    All other keys are options of the weighting, which its class checks; ``mtlaerial weightings NAME`` lists them.
    """

    model_config = ConfigDict(extra="allow")

    name: str = "equal"
    """A name of ``mtlaerial weightings``, or one that another package registers."""

    @property
    def options(self) -> dict[str, Any]:
        """The options of the weighting, as given."""
        return dict(self.model_extra or {})

    @property
    def working_level(self) -> Level | None:
        """The level of the gradients that the weighting measures; None for one by losses.

        None as well for another package's with its default.
        """
        chosen = self.options.get("level")
        levels = (level for level, names in LEVELS.items() if level == chosen or (not chosen and self.name in names))
        return next(levels, None)

    @property
    def needs_check(self) -> bool:
        """True if only the class of the weighting can check the section."""
        return bool(self.options) or self.name == "fixed" or self.name not in WEIGHTINGS

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            REGISTRY.target(name)
        except ConfigError as error:
            raise Unfit("", error.found, error.expected, error.remedy) from None
        return name

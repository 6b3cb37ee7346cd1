"""The section ``run``: the data sets, methods and seeds that run, and how they are compared."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from mtlaerial.config.base import Section
from mtlaerial.config.comparison import ComparisonSpec
from mtlaerial.config.faults import Unfit, did_you_mean
from mtlaerial.config.label_efficiency import LabelEfficiency
from mtlaerial.config.method import Name
from mtlaerial.config.names import require_once
from mtlaerial.config.tasks import Task
from mtlaerial.config.transfer import TransferSpec


class RunSpec(Section):
    """The data sets, methods and seeds to run, selected from the dictionaries below."""

    datasets: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Names from ``datasets``."""
    methods: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Names from ``methods``."""
    seeds: Annotated[tuple[Annotated[int, Field(ge=0, lt=2**31)], ...], Field(min_length=1)]
    """Seeds; each method is trained once with each."""
    train_unscored: bool = False
    """Run methods also on data sets whose test tiles have ground truth for none of their tasks."""

    steps: tuple[Annotated[tuple[Name, ...], Field(min_length=2)], ...] = ()
    """Ablations: for each, methods in the order of their steps, which a table compares with the one before and with
    the first."""
    comparison: ComparisonSpec = ComparisonSpec()
    """Which effects comparisons of methods are to detect."""

    label_efficiency: dict[Task, LabelEfficiency] = {}
    """By task: methods with different shares of its truth (``training.labelled``), single tasks beside joint ones, for
    a table and a figure of curves."""

    transfer: tuple[TransferSpec, ...] = ()
    """Pairs of data sets: the runs of one are tested on the other, for a table beside the runs of the latter."""

    @model_validator(mode="after")
    def _selected_transfers(self) -> Self:
        pairs = [f"{transfer.trained_on} to {transfer.tested_on}" for transfer in self.transfer]
        require_once("transfer", pairs)
        for transfer in self.transfer:
            for name in (transfer.trained_on, transfer.tested_on):
                if name not in self.datasets:
                    remedy = did_you_mean(name, self.datasets, "Add it to run.datasets, or take it out here.")
                    expected = f"selected data sets ({', '.join(self.datasets)})"
                    raise Unfit("transfer", repr(name), expected, remedy)
        return self

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for key in ("datasets", "methods", "seeds"):
            require_once(key, getattr(self, key))
        for number, chain in enumerate(self.steps):
            require_once(f"steps.{number}", chain)
            self._require_selected(f"steps.{number}", chain)
        for task, curve in self.label_efficiency.items():
            for arm, names in (("single", curve.single), ("joint", curve.joint)):
                require_once(f"label_efficiency.{task}.{arm}", names)
                self._require_selected(f"label_efficiency.{task}.{arm}", names)
        return self

    def _require_selected(self, key: str, methods: tuple[str, ...]) -> None:
        """Refuse steps, and points of curves, that are no rows of the tables."""
        for name in methods:
            if name not in self.methods:
                remedy = did_you_mean(name, self.methods, "Add it to run.methods, or take it out here.")
                raise Unfit(key, repr(name), f"selected methods ({', '.join(self.methods)})", remedy)

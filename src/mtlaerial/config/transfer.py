"""The section ``run.transfer``: runs of one data set that are tested on another."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from mtlaerial.config.annotations import FOLDER_NAME
from mtlaerial.config.base import Section
from mtlaerial.config.dataset import DatasetSpec
from mtlaerial.errors import ConfigError

Name = Annotated[str, Field(pattern=FOLDER_NAME)]
GSD_TOLERANCE = 0.1
"""Largest relative difference of pixel sizes without resampling, as of images that are mapped."""


class TransferSpec(Section):
    """Runs of one data set that predict the test tiles of another, for a table beside the runs of the latter."""

    trained_on: Name
    """The data set of the runs, from ``run.datasets``."""
    tested_on: Name
    """The data set whose test tiles are predicted and scored, from ``run.datasets``."""
    classes: dict[str, str] = {}
    """The class of ``tested_on`` that a class of ``trained_on`` is there, by the name of the latter; a class that is
    not named is the one of the same name."""

    def class_codes(self, trained: DatasetSpec, tested: DatasetSpec) -> tuple[int, ...]:
        """Return the code in ``tested_on`` of each class of ``trained_on``; empty where one has no classes.

        Raises
        ------
        ConfigError
            When a class has no counterpart, or, without ``classes``, a class of ``tested_on`` has none.
        """
        names, targets = trained.class_names, tested.class_names
        if not names or not targets:
            return ()
        key = f"run.transfer, from {self.trained_on} to {self.tested_on}"
        both = f"{self.trained_on} has {', '.join(names)}; {self.tested_on} has {', '.join(targets)}"
        remedy = "State classes, by the names of those trained: {NAME: NAME}."
        unknown = [name for name in self.classes if name not in names]
        pairs = {name: self.classes.get(name, name) for name in names}
        lone = [*unknown, *(f"{name}: {target}" for name, target in pairs.items() if target not in targets)]
        if lone:
            raise ConfigError(key, f"classes that do not match ({lone[0]})", f"the same names ({both})", remedy)
        untrained = [target for target in targets if target not in pairs.values()]
        if untrained and not self.classes:
            raise ConfigError(key, f"classes that do not match ({untrained[0]})", f"the same names ({both})", remedy)
        return tuple(targets.index(target) for target in pairs.values())

    def untrained(self, trained: DatasetSpec, tested: DatasetSpec) -> tuple[str, ...]:
        """Return the classes of ``tested_on`` that no class of ``trained_on`` is, so that none is ever predicted."""
        codes = self.class_codes(trained, tested)
        return tuple(name for code, name in enumerate(tested.class_names) if codes and code not in codes)

    def require_fit(self, trained: DatasetSpec, tested: DatasetSpec) -> None:
        """Refuse two data sets whose images or classes do not fit, or whose splits are not fixed.

        Raises
        ------
        ConfigError
        """
        key = f"run.transfer, from {self.trained_on} to {self.tested_on}"
        if self.trained_on == self.tested_on:
            raise ConfigError(key, "one data set", "two", "Its own tables have the runs on it.")
        for name, spec in ((self.trained_on, trained), (self.tested_on, tested)):
            if spec.areas:
                raise ConfigError(key, f"areas in {name}", "data sets with splits", "Take a specification with splits.")
        if not tested.splits.get("test"):
            raise ConfigError(key, f"no test tiles in {self.tested_on}", "at least one", "List some in splits.test.")
        bands = [", ".join(spec.image.band_names) for spec in (trained, tested)]
        if bands[0] != bands[1]:
            expected = f"the bands of {self.trained_on} ({bands[0]})"
            remedy = "List image.bands and image.band_names in that order in a copy of the specification."
            raise ConfigError(key, f"bands of {self.tested_on} that differ ({bands[1]})", expected, remedy)
        ranges = [f"[{low:g}, {high:g}]" for low, high in (trained.image.range, tested.image.range)]
        if ranges[0] != ranges[1]:
            observed = f"image.range {ranges[1]} of {self.tested_on}"
            expected = f"that of {self.trained_on}, {ranges[0]}"
            raise ConfigError(key, observed, expected, "Convert the images to one range of values.")
        self.class_codes(trained, tested)


def is_resampled(sides: Sequence[float], gsd: float | None) -> bool:
    """Tell whether pixels are so unlike those of a training that an image is resampled for the network.

    Parameters
    ----------
    sides : sequence of float
        Sides of a pixel in metres.
    gsd : float or None
        Metres per pixel of the training; None where it is unknown.

    Examples
    --------
    >>> is_resampled((0.25, 0.25), 0.5), is_resampled((0.52, 0.52), 0.5)
    (True, False)
    """
    return gsd is not None and any(abs(side / gsd - 1) > GSD_TOLERANCE for side in sides)


def mapping_text(codes: Sequence[int], trained: Sequence[str], tested: Sequence[str]) -> str:
    """Return which class is which, as a phrase; empty where all names are the same.

    Examples
    --------
    >>> mapping_text((1, 0), ("tree", "road"), ("impervious", "tree"))
    'road counts as impervious'
    """
    pairs = [(name, tested[code]) for name, code in zip(trained, codes, strict=True)] if codes else []
    return ", ".join(f"{name} counts as {target}" for name, target in pairs if name != target)


def require_transfers(transfers: Sequence[TransferSpec], datasets: Mapping[str, DatasetSpec]) -> None:
    """Refuse transfers between data sets that do not fit; see :meth:`TransferSpec.require_fit`."""
    for transfer in transfers:
        transfer.require_fit(datasets[transfer.trained_on], datasets[transfer.tested_on])

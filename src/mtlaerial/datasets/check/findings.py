"""Findings of the data checks, and their collection."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from mtlaerial.config import Section
from mtlaerial.errors import UserError

Level = Literal["error", "warning"]


class Finding(Section):
    """A fault of a data set, with the fields of :class:`mtlaerial.errors.UserError`.

    An error prevents training or scoring or falsifies their results; a warning may be intended.
    """

    level: Level
    where: str
    """The file or key at fault."""
    found: str
    expected: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.level}: {self.where}: found {self.found}; expected {self.expected}. {self.remedy}".rstrip()


class Findings:
    """A list of findings without duplicates."""

    def __init__(self) -> None:
        self.items: list[Finding] = []
        self._distinct: set[Finding] = set()

    def add(self, level: Level, where: Path | str, observed: str, expected: str, remedy: str) -> None:
        """Add a finding; ``observed`` becomes its field ``found``."""
        finding = Finding(level=level, where=str(where), found=observed, expected=expected, remedy=remedy)
        if finding not in self._distinct:
            self._distinct.add(finding)
            self.items.append(finding)

    @property
    def errors(self) -> int:
        """Number of errors so far."""
        return sum(finding.level == "error" for finding in self.items)

    def error(self, where: Path | str, observed: str, expected: str, remedy: str) -> None:
        """Add an error."""
        self.add("error", where, observed, expected, remedy)

    def warning(self, where: Path | str, observed: str, expected: str, remedy: str) -> None:
        """Add a warning."""
        self.add("warning", where, observed, expected, remedy)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Turn a :class:`UserError` that ends the block into a finding; other exceptions are bugs and propagate."""
        try:
            yield
        except UserError as error:
            self.error(error.where, error.found, error.expected, error.remedy)


def percent(share: float) -> str:
    """Format a share in 0-1 as a percentage with three digits; a share below 1 is never shown as 100 %."""
    return f"{100 * share:.3g} %" if share < 0.999 or share == 1 else "more than 99.9 %"

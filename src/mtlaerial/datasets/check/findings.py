"""What a check finds, and the list it is collected in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from mtlaerial.config import Section
from mtlaerial.errors import UserError

Level = Literal["error", "warning"]


class Finding(Section):
    """Something wrong, in the words of :class:`mtlaerial.errors.UserError`.

    An error stands in the way of training or scoring, or makes their numbers wrong; a warning may be intended.
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
    """Collects findings, each once."""

    def __init__(self) -> None:
        self.items: list[Finding] = []

    def add(self, level: Level, where: Path | str, found: str, expected: str, remedy: str) -> None:
        """Add a finding; see :class:`Finding` for the parameters."""
        finding = Finding(level=level, where=str(where), found=found, expected=expected, remedy=remedy)
        if finding not in self.items:
            self.items.append(finding)

    @property
    def errors(self) -> int:
        """How many errors there are."""
        return sum(finding.level == "error" for finding in self.items)

    def error(self, where: Path | str, found: str, expected: str, remedy: str) -> None:
        """Add an error."""
        self.add("error", where, found, expected, remedy)

    def warning(self, where: Path | str, found: str, expected: str, remedy: str) -> None:
        """Add a warning."""
        self.add("warning", where, found, expected, remedy)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """End the block at the first error meant for the user and add it; a bug's exception goes through."""
        try:
            yield
        except UserError as error:
            self.error(error.where, error.found, error.expected, error.remedy)


def percent(share: float) -> str:
    """Write a share in 0-1 with two digits, but never a remainder as 0 % or 100 %."""
    return f"{100 * share:.3g} %" if share < 0.999 or share == 1 else "more than 99.9 %"

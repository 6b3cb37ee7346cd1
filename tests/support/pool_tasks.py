"""Functions that tests run in other processes, which import them by name."""

import os
import signal
from pathlib import Path

from mtlaerial.errors import DataError


def touch(path: Path) -> None:
    path.write_text(str(os.getpid()))


def refuse(path: Path) -> None:
    raise DataError(path, "no luck", "luck", "Try again.")


def die(_: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)

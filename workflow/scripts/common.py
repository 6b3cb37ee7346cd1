"""The frame of every script: the types of ``snakemake``, the log, and errors in one sentence."""

import logging
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from mtlaerial.errors import ConfigError, UserError
from mtlaerial.system.memory import as_memory_error
from mtlaerial.system.progress import TerminalHandler, hide_bars
from mtlaerial.system.signals import Stopped

if TYPE_CHECKING:
    from mtlaerial.reporting.tables import Curves


class Job(Protocol):
    """The object ``snakemake`` of a script."""

    input: Any
    output: Any
    params: Any
    wildcards: Any
    threads: int
    resources: Any
    log: Any
    config: Any


class NoConfiguration:
    """The configuration of a script: none, so that a result depends on nothing that its rule does not declare."""

    def __getattr__(self, name: str) -> NoReturn:
        raise ConfigError(
            "snakemake.config", f"a script that reads {name}", "scripts that read what their rule declares",
            "Pass the value as params of the rule.",
        )  # fmt: skip

    def __getitem__(self, key: str) -> NoReturn:
        self.__getattr__(key)

    def __contains__(self, key: str) -> NoReturn:
        self.__getattr__(key)

    def __iter__(self) -> NoReturn:
        self.__getattr__("all keys")


@contextmanager
def logged(job: Job) -> Iterator[None]:
    """Send messages to the job's log and to the terminal; end with exit code 1 and one sentence on a user's error.

    On a graceful shutdown, end with an exit code that makes Snakemake try again.
    """
    job.config = NoConfiguration()
    file = logging.FileHandler(job.log[0], mode="a")
    file.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[file, _terminal_handler(job)])
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # else hundreds of lines for the fonts of a PDF
    hide_bars()  # several jobs write to one terminal
    logging.captureWarnings(True)
    warnings.simplefilter("default")
    try:
        yield
    except UserError as error:
        logging.error("%s", error)
        sys.exit(1)
    except Stopped as stopped:
        logging.warning("%s", stopped)
        sys.exit(stopped.exit_code)
    except Exception as error:
        if explained := as_memory_error(error):
            logging.error("%s", explained)
            sys.exit(1)
        traceback.print_exc(file=file.stream)
        raise


def _terminal_handler(job: Job) -> TerminalHandler:
    """Return a handler that names the job's log on a terminal, where lines of several jobs mix."""
    handler = TerminalHandler(calm=True)
    if sys.stderr.isatty():
        name = "/".join(Path(job.log[0]).with_suffix("").parts[-3:]).removeprefix("logs/")
        handler.setFormatter(logging.Formatter(f"{name}: %(message)s"))
    return handler


def curves_in(datasets: Mapping[str, Any]) -> "Curves":
    """Return the curves of label efficiency, which are the same for all data sets in a rule's params."""
    from mtlaerial.config.label_efficiency import LabelEfficiency

    curves = next(iter(datasets.values())).get("label_efficiency", {})
    return {task: LabelEfficiency.parse(curve, f"run.label_efficiency.{task}") for task, curve in curves.items()}


def folders(files: list[str]) -> list[Path]:
    """Return the tile folders that prepared layers lie in, each once, in order."""
    return list(dict.fromkeys(Path(file).parent for file in files))

"""What every script does first: messages go to the rule's log, and an error a user can mend is said in one sentence."""

import logging
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mtlaerial.errors import UserError
from mtlaerial.system.progress import beside_bar
from mtlaerial.system.signals import Stopped


@contextmanager
def logged(path: str) -> Iterator[None]:
    """Send messages to a log and to the terminal; end with exit code 1 and one sentence on a user's error.

    Asked to end, the job does so with an exit code that makes Snakemake try again.
    """
    file = logging.FileHandler(path, mode="a")
    file.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    terminal = logging.StreamHandler()
    terminal.addFilter(beside_bar)
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[file, terminal])
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
    except Exception:
        file.stream.write(traceback.format_exc())
        raise


def folders(files: list[str]) -> list[Path]:
    """Return the tile folders that prepared layers lie in, each once, in order."""
    return list(dict.fromkeys(Path(file).parent for file in files))

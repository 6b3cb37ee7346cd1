"""Process of a training, started by :mod:`mtlaerial.pipeline.launch` with ``FOLDER/job.json`` as its argument."""

import json
import logging
import os
import sys
import traceback
import warnings
from pathlib import Path
from threading import Thread
from typing import NoReturn

from mtlaerial.errors import UserError
from mtlaerial.system import ranks
from mtlaerial.system.memory import as_memory_error
from mtlaerial.system.signals import Stopped
from mtlaerial.training.job import TrainingJob

MODULE = "mtlaerial.pipeline.worker"
JOB = "job.json"
FAILURE = "failure.json"
HERE = "a process of this training"


def main(path: Path) -> None:
    """Take part in a training; write an error to a file beside the job.

    The main process logs its progress to standard output, the others log only errors.
    """
    Thread(target=_end_with_input, daemon=True).start()
    os.dup2(sys.stdout.fileno(), sys.stderr.fileno())
    logging.basicConfig(level=logging.INFO if ranks.rank() == 0 else logging.ERROR, format="%(message)s")
    logging.getLogger("lightning_fabric.utilities").setLevel(logging.WARNING)  # each process would introduce itself
    logging.captureWarnings(True)
    warnings.simplefilter("default")
    job = TrainingJob.model_validate_json(path.read_text(encoding="utf-8"))
    try:
        _train(job)
    except Stopped as stopped:
        sys.exit(stopped.exit_code)
    except UserError as error:
        _write_failure(path.parent, error)
    except Exception as error:
        if explained := as_memory_error(error):
            _write_failure(path.parent, explained)
        traceback.print_exc()
        cause = f"{type(error).__name__}: {error}"
        _write_failure(path.parent, UserError(HERE, cause, "work to its end", "The traceback above tells where."))


def _write_failure(folder: Path, error: UserError) -> NoReturn:
    parts = [error.where, error.found, error.expected, error.remedy]
    (folder / FAILURE).write_text(json.dumps(parts), encoding="utf-8")
    sys.exit(1)


def read_failure(folder: Path) -> UserError | None:
    """Return the error that a process wrote, if there is one."""
    path = folder / FAILURE
    return UserError(*json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def _train(job: TrainingJob) -> None:
    from mtlaerial.pipeline.run_training import run_training
    from mtlaerial.training.rendezvous import single_error

    with single_error():
        run_training(job)


def _end_with_input() -> None:
    """Exit when the launching process ends, which closes its end of the pipe."""
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

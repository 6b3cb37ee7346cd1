"""Process of a training whose updates are timed beside others, started by :mod:`mtlaerial.probe.side_by_side`.

It says on standard output when it is ready, begins when a line arrives on standard input, and answers with one line of
JSON. When its standard input ends, so does it: then the probe was ended.
"""

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import TextIO

from mtlaerial.errors import UserError, deepest_cause
from mtlaerial.probe.request import READY, Answer, Request
from mtlaerial.probe.timing import TimedTraining, Timing
from mtlaerial.system.memory import as_memory_error


def main(path: Path) -> None:
    """Time the training of a request in a file."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)  # what libraries print is no answer
        try:
            answer = Answer(timing=_timed(path, lambda: _say(READY, answers)))
        except UserError as error:
            answer = Answer(failed=str(error))
        except Exception as error:
            traceback.print_exc()
            answer = Answer(failed=str(as_memory_error(error) or deepest_cause(error)))
        _say(answer.model_dump_json(), answers)


def _timed(path: Path, ready: Callable[[], None]) -> Timing:
    request = Request.model_validate_json(path.read_text(encoding="utf-8"))
    training = TimedTraining(request.job)
    first = training.warm_up()
    ready()
    if not sys.stdin.readline():
        sys.exit(1)
    Thread(target=_end_with_input, daemon=True).start()
    try:
        return training.time(first, request.span)
    finally:
        training.close()


def _say(line: str, answers: TextIO) -> None:
    """Write a line to the probe; exit where the probe has ended, which nobody needs to be told."""
    try:
        print(line, file=answers, flush=True)
    except BrokenPipeError:
        os._exit(1)  # an ordinary exit would flush the line again


def _end_with_input() -> None:
    """Exit when the probe ends, which closes its end of the pipe."""
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

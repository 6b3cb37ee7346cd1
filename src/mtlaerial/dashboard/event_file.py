"""Event file of TensorBoard: records of scalars and pictures, each written at once.

TensorBoard's own writer has a thread, which prints a traceback where the disk is full.
"""

import itertools
import os
import socket
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.summary.writer.record_writer import RecordWriter
from torch.utils.tensorboard.summary import image, scalar

PATTERN = "events.out.tfevents.*"
"""Names by which TensorBoard finds event files."""
_numbers = itertools.count()


class EventFile:
    """A new event file in a folder.

    Parameters
    ----------
    folder : Path
        It is made if it is not there.
    resumed_step : int, optional
        TensorBoard drops what earlier files of the folder have from this step on.

    Raises
    ------
    OSError
        Raised by all methods where the file cannot be written.
    """

    def __init__(self, folder: Path, resumed_step: int | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        name = PATTERN.removesuffix("*") + f"{time.time():.0f}.{socket.gethostname()}.{os.getpid()}.{next(_numbers)}"
        self._file = (folder / name).open("xb")
        self._records = RecordWriter(self._file)
        self._write(0, file_version="brain.Event:2")
        if resumed_step is not None:
            self._write(resumed_step, session_log=SessionLog(status=SessionLog.START))

    def add_scalars(self, values: dict[str, float], step: int) -> None:
        """Write numbers of a step by their tags."""
        for tag, value in values.items():
            self._write(step, summary=scalar(tag, value))  # type: ignore[no-untyped-call]

    def add_picture(self, tag: str, picture: NDArray[np.uint8], step: int) -> None:
        """Write a picture of shape (rows, columns, 3)."""
        self._write(step, summary=image(tag, picture, dataformats="HWC"))  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, step: int, **content: Any) -> None:
        self._records.write(Event(wall_time=time.time(), step=step, **content).SerializeToString())
        self._file.flush()

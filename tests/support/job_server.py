"""Server that forks a process for each job of Snakemake, with the libraries that jobs import already there."""

import atexit
import ctypes
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

LIBRARIES = (
    "torch", "torch._dynamo", "lightning_fabric", "numpy", "pandas", "scipy.ndimage", "rasterio.features",
    "rasterio.warp", "pydantic", "yaml", "matplotlib.figure", "matplotlib.backends.backend_agg", "PIL.Image", "jinja2",
    "safetensors", "filelock", "tqdm", "psutil", "geopandas", "snakemake.script",
)  # fmt: skip
"""Nothing of this project: jobs take the package that their environment names."""
DIES_WITH_PARENT = 1
"""Of ``prctl``."""


class Running(NamedTuple):
    """A job at work, and the connection of the client that waits for it."""

    pid: int
    connection: socket.socket


class Server:
    """Takes requests at a socket, until the process that started it ends.

    Parameters
    ----------
    path : Path
        Of the socket; beside it, ``.cpu`` has the CPU time of all jobs that have ended.
    """

    def __init__(self, path: Path) -> None:
        self._used, self._times = 0.0, path.with_suffix(".cpu")
        self._times.write_text("0")
        self._selector = selectors.DefaultSelector()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        self._selector.register(listener, selectors.EVENT_READ)

    def serve(self) -> None:
        """Answer requests."""
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    assert isinstance(key.fileobj, socket.socket)
                    self._begin(key.fileobj.accept()[0])
                elif isinstance(key.fileobj, int):
                    self._end(key.fileobj, key.data)
                else:  # the client has ended
                    os.kill(key.data.pid, signal.SIGKILL)
                    self._selector.unregister(key.fileobj)

    def _begin(self, connection: socket.socket) -> None:
        size, files, *_ = socket.recv_fds(connection, 8, 3)
        request = json.loads(_received(connection, int(size)))
        pid = os.fork()
        if pid == 0:
            self._selector.close()
            _become(request, files)
        for file in files:
            os.close(file)
        connection.sendall(f"{pid:8d}".encode())
        job = Running(pid, connection)
        self._selector.register(os.pidfd_open(pid), selectors.EVENT_READ, job)
        self._selector.register(connection, selectors.EVENT_READ, job)

    def _end(self, file: int, job: Running) -> None:
        _, status, usage = os.wait4(job.pid, 0)
        self._used += usage.ru_utime + usage.ru_stime
        self._times.write_text(str(self._used))
        self._selector.unregister(file)
        os.close(file)
        with suppress(KeyError):
            self._selector.unregister(job.connection)
        with job.connection, suppress(OSError):
            job.connection.sendall(f"{os.waitstatus_to_exitcode(status):8d}".encode())


def _received(connection: socket.socket, size: int) -> bytes:
    text = b""
    while len(text) < size:
        text += connection.recv(size - len(text))
    return text


def _become(request: dict[str, Any], files: list[int]) -> None:
    """Run a script as an interpreter of its own would, and end."""
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.setpgid(0, 0)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    script = request["arguments"][0]
    sys.argv = request["arguments"]
    inherited = [entry for entry in sys.path if entry not in os.environ["PYTHONPATH"].split(os.pathsep)]
    sys.path[:] = [str(Path(script).parent), *os.environ["PYTHONPATH"].split(os.pathsep), *inherited]
    importlib.invalidate_caches()
    code: Any = 0
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    if isinstance(code, str):
        print(code, file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def main() -> None:
    """Import the libraries, and serve at the socket that the command line names."""
    ctypes.CDLL(None).prctl(DIES_WITH_PARENT, signal.SIGKILL)
    sys.path[:] = [entry for entry in sys.path if entry not in ("", os.environ["PYTHONPATH"])]
    for name in LIBRARIES:
        with suppress(ImportError):
            importlib.import_module(name)
    server = Server(Path(sys.argv[1]))
    print("ready", flush=True)
    server.serve()


if __name__ == "__main__":
    main()

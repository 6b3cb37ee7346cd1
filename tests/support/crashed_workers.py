"""Traces of crashed pytest-xdist workers, shown below the results, where the end of a long log still has them."""

import faulthandler
import tempfile
from pathlib import Path
from typing import Any

import pytest

KEY = "crash_trace"
NO_TRACE = "no trace: ended by a signal from outside, by SIGTERM without a handler, or by its own exit"


class CrashTraces:
    """Plugin of the process that hands out the tests."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="crashed-workers-")
        self.crashed: dict[str, str] = {}

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give a worker a file for its trace."""
        node.workerinput[KEY] = str(Path(self.folder.name) / node.gateway.id)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Read the trace of a worker that ended by itself."""
        if error:
            trace = Path(node.workerinput[KEY])
            self.crashed[node.gateway.id] = (trace.read_text() if trace.exists() else "") or NO_TRACE

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Show the traces."""
        for worker, text in self.crashed.items():
            terminalreporter.section(f"crash of worker {worker}")
            terminalreporter.write_line(text)

    def pytest_unconfigure(self) -> None:
        """Remove the files."""
        self.folder.cleanup()


def register(config: pytest.Config) -> None:
    """Let a worker write its trace into its file, and the process that hands out the tests show it."""
    inputs = getattr(config, "workerinput", None)
    if inputs is None:
        config.pluginmanager.register(CrashTraces())
    elif KEY in inputs:
        # pytest's own trace goes to the terminal, amid the results; its plugin ends this one as well.
        faulthandler.enable(open(inputs[KEY], "w"))  # noqa: SIM115  # open for as long as the process

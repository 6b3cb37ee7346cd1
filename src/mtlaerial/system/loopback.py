"""Servers on the loopback interface: their sockets, and their end by a signal."""

import asyncio
import errno
import signal
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mtlaerial.errors import UserError

if TYPE_CHECKING:
    import socket

ADDRESS = "127.0.0.1"


def bind_port(port: int, remedy: str) -> "list[socket.socket]":
    """Return sockets that listen on a port of this machine alone.

    Parameters
    ----------
    port : int
        0 takes any free port.
    remedy : str
        Advice where the port is taken, as a sentence.

    Raises
    ------
    UserError
        When the port is taken, or only the administrator may take it.
    """
    from tornado.netutil import bind_sockets

    try:
        return bind_sockets(port, ADDRESS)
    except OSError as error:
        if error.errno == errno.EACCES:
            raise UserError(f"port {port}", "no permission to listen on it", "a port above 1023", remedy) from None
        if error.errno != errno.EADDRINUSE:
            raise
        raise UserError(f"port {port}", "another program on it", "a free port", remedy) from None


async def wait_for_signal(signals: Sequence[signal.Signals]) -> None:
    """Wait until one of some signals arrives, which else would end the process at once."""
    ended = asyncio.Event()
    for number in signals:
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()

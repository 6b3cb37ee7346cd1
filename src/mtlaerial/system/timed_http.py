"""HTTP within a total time: urllib's timeout begins anew with each byte that a server sends."""

import socket
import threading
from contextlib import suppress
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from types import TracebackType
from typing import Any, Self
from urllib.request import (
    FileHandler,
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)


class TimeLimit:
    """Context in which connections that take part are shut down when its time is up.

    Parameters
    ----------
    seconds : float

    Attributes
    ----------
    expired : bool
        Whether the time was up: what was read until then may lack its end.
    """

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._connections: list[socket.socket] = []
        self._timer = threading.Timer(max(seconds, 0), self._expire)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._timer.cancel()
        for connection in self._connections:
            connection.close()

    def add(self, connection: socket.socket) -> None:
        """Let a connection end with the time."""
        self._connections.append(connection.dup())  # TLS takes the socket itself away from its object
        if self.expired:
            self._expire()

    def _expire(self) -> None:
        self.expired = True
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def open_url(request: Request, timeout: float, limit: TimeLimit) -> HTTPResponse:
    """Open an ``http:``, ``https:`` or ``file:`` URL, as ``urlopen`` does, within a total time.

    Parameters
    ----------
    request : Request
    timeout : float
        Seconds without data after which a connection counts as dead.
    limit : TimeLimit

    Raises
    ------
    URLError, OSError, HTTPException
        As ``urlopen`` does; and when the time is up.
    """

    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            limit.add(self.sock)

    class Secure(HTTPSConnection, Plain):  # whose connect calls Plain's before the handshake
        pass

    class PlainHandler(HTTPHandler):
        def http_open(self, req: Request) -> HTTPResponse:
            return self.do_open(Plain, req)

    class SecureHandler(HTTPSHandler):
        def https_open(self, req: Request) -> HTTPResponse:
            return self.do_open(Secure, req)

    opener = OpenerDirector()
    handlers: tuple[Any, ...] = (
        ProxyHandler(), UnknownHandler(), PlainHandler(), SecureHandler(), FileHandler(), HTTPDefaultErrorHandler(),
        HTTPRedirectHandler(), HTTPErrorProcessor(),
    )  # fmt: skip
    for handler in handlers:
        opener.add_handler(handler)
    response: HTTPResponse = opener.open(request, timeout=timeout)
    return response

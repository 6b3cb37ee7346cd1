"""Failures of a connection: whether another attempt may succeed, and the error that users see."""

import http.client
import socket
import ssl
from http import HTTPStatus
from urllib.error import HTTPError, URLError

from mtlaerial.errors import DownloadError

RETRIED_STATUSES = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
"""HTTP statuses below 500 that are worth another attempt, as all from 500 on are."""
PERMANENT_REASONS = (FileNotFoundError, IsADirectoryError, PermissionError, str)
"""Types of :class:`URLError` reasons that no retry changes; urllib gives a string for a malformed URL."""
CONNECTION_ERRORS = (URLError, ConnectionError, TimeoutError, ssl.SSLError, http.client.HTTPException)
"""Exceptions of the connection; any other OSError comes from the local disk."""


class Truncated(ConnectionError):
    """A response that ended before the file did."""


class TooSlow(ConnectionError):
    """A response that sends next to nothing."""


def is_transient(error: Exception) -> bool:
    """Tell whether a retry may succeed."""
    if isinstance(error, HTTPError):
        return error.code in RETRIED_STATUSES or error.code >= HTTPStatus.INTERNAL_SERVER_ERROR
    return not (isinstance(error, URLError) and isinstance(error.reason, PERMANENT_REASONS))


def explain(url: str, error: Exception, timeout: float) -> DownloadError:
    """Translate an exception of the connection into an error with a remedy."""
    cause = error.reason if isinstance(error, URLError) and isinstance(error.reason, Exception) else error
    remedy = "Check the connection and run it again: it goes on where it stopped."
    match cause:
        case HTTPError():
            reason = f"the answer {cause.code} ({cause.reason})"
            if is_transient(cause):
                remedy = "Try again later."
            else:
                remedy = "Correct the address, or get the file from elsewhere."
        case Truncated() | TooSlow():
            reason = str(cause)
        case TimeoutError():
            reason = f"no data for {timeout:g} s"
        case socket.gaierror():
            reason = "no such server, or no network"
        case ConnectionRefusedError():
            reason = "a refused connection"
        case URLError():
            reason, remedy = str(cause.reason), "Correct the address."
        case FileNotFoundError():
            reason, remedy = "no file", "Check the path."
        case IsADirectoryError():
            reason, remedy = "a folder", "Check the path."
        case _:
            reason = " ".join(str(cause).split()) or type(cause).__name__
    return DownloadError(url, reason, "the file", remedy)

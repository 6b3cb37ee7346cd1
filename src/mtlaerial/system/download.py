"""Files from elsewhere: fetched with patience, verified, and named only when they are whole."""

import http.client
import logging
import os
import socket
import ssl
import time
from http import HTTPStatus
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from mtlaerial.errors import DownloadError
from mtlaerial.system.files import discard
from mtlaerial.system.hashing import MEGABYTE, file_hashes
from mtlaerial.system.progress import Progress

log = logging.getLogger(__name__)
CHUNK = 2**16
PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
"""Answers that may be another one soon, beside those of 500 and above."""
LASTING = (FileNotFoundError, IsADirectoryError, PermissionError, str)
"""Reasons that no second attempt changes; a string says that the URL is wrong."""
FAILURES = (URLError, ConnectionError, TimeoutError, ssl.SSLError, http.client.HTTPException)
"""What a connection fails with; any other OSError is the disk's."""


class Truncated(ConnectionError):
    """A connection that ended before the file did."""


def fetch(
    source: str,
    target: Path,
    sha256: str | None = None,
    *,
    timeout: float = 30.0,
    attempts: int = 4,
    pause: float = 1.0,
) -> str:
    """Get a file, and verify it.

    What has come of it lies beside the target, hidden. It is completed by the next attempt, or the next call where a
    hash tells whether both parts belong together; the server must know byte ranges, else the file is fetched anew.

    Parameters
    ----------
    source : str
        A URL (``https:``, ``http:``, ``file:``), or the path of a file.
    target : Path
        The file's final name, which it gets when it is whole.
    sha256 : str, optional
        The published SHA-256, or how it begins, in hexadecimal digits.
    timeout : float
        Seconds without any data after which a connection is given up.
    attempts : int
        How often to try; what cannot change soon, such as a wrong address, is tried once.
    pause : float
        Seconds before the second attempt; doubled before each further one.

    Returns
    -------
    str
        The whole SHA-256; it is logged too, so that it can be pinned.

    Raises
    ------
    DownloadError
        When the file cannot be had, is cut off, or is not the published one.
    """
    url = source if "://" in source else Path(source).resolve().as_uri()
    partial = target.with_name(f".{target.name}.part")
    if sha256 is None:
        discard(partial)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _receive_patiently(url, partial, timeout, attempts, pause)
        found = _verify(url, partial, sha256)
        os.replace(partial, target)
    except OSError as error:
        remedy = "Free space, or choose another folder."
        raise DownloadError(target, error.strerror or str(error), "a place to write to", remedy) from None
    log.info("%s is in %s; its SHA-256 is %s", url, target, found)
    return found


def _receive_patiently(url: str, partial: Path, timeout: float, attempts: int, pause: float) -> None:
    for attempt in range(1, attempts + 1):
        try:
            return _receive(url, partial, timeout)
        except FAILURES as error:
            failure = _explain(url, error, timeout)
            if attempt == attempts or not _may_pass(error):
                raise failure from None
            wait = pause * 2 ** (attempt - 1)
            log.warning("%s: found %s; trying again in %g s", url, failure.found, wait)
            time.sleep(wait)


def _receive(url: str, partial: Path, timeout: float) -> None:
    """Complete the partial file, from where it ends if the server can do that, else from the beginning."""
    size = partial.stat().st_size if partial.exists() else 0
    request = Request(url, headers={"Range": f"bytes={size}-"} if size else {})
    try:
        response = urlopen(request, timeout=timeout)
    except HTTPError as error:
        if not size or error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        discard(partial)  # it ends at or after the file's end
        return _receive(url, partial, timeout)
    with response:
        begin = size if response.status == HTTPStatus.PARTIAL_CONTENT else 0
        length = response.headers.get("Content-Length")
        with partial.open("ab" if begin else "wb") as file:
            _copy(response, file, begin, begin + int(length) if length else None)


def _copy(response: http.client.HTTPResponse, file: IO[bytes], done: int, total: int | None) -> None:
    """Append a response to a file that has ``done`` of ``total`` bytes, as they come."""
    bar = Progress(-(-total // MEGABYTE), "fetching", "MB", done // MEGABYTE) if total else None
    while (total is None or done < total) and (chunk := response.read1(CHUNK)):
        file.write(chunk)
        if bar:
            bar.update((done + len(chunk)) // MEGABYTE - done // MEGABYTE)
        done += len(chunk)
    if bar:
        bar.close()
    if total is not None and done < total:
        raise Truncated(f"{done} of {total} bytes")


def _verify(url: str, path: Path, sha256: str | None) -> str:
    found = file_hashes(path, "sha256")["sha256"]
    if sha256 and not found.startswith(sha256.lower()):
        discard(path)
        remedy = "Run it again; if it stays so, this is not the published file: get it from its publisher."
        raise DownloadError(url, f"the SHA-256 {found}", f"one that begins with {sha256}", remedy)
    return found


def _may_pass(error: Exception) -> bool:
    if isinstance(error, HTTPError):
        return error.code in PASSING or error.code >= HTTPStatus.INTERNAL_SERVER_ERROR
    return not (isinstance(error, URLError) and isinstance(error.reason, LASTING))


def _explain(url: str, error: Exception, timeout: float) -> DownloadError:
    """Say what went wrong with a connection, and what to do."""
    cause = error.reason if isinstance(error, URLError) and isinstance(error.reason, Exception) else error
    remedy = "Check the connection and run it again: it goes on where it stopped."
    match cause:
        case HTTPError():
            found = f"the answer {cause.code} ({cause.reason})"
            remedy = "Try again later." if _may_pass(cause) else "Correct the address, or get the file from elsewhere."
        case Truncated():
            found = str(cause)
        case TimeoutError():
            found = f"no data for {timeout:g} s"
        case socket.gaierror():
            found = "no such server, or no network"
        case ConnectionRefusedError():
            found = "a refused connection"
        case FileNotFoundError() | IsADirectoryError():
            found = "no file" if isinstance(cause, FileNotFoundError) else "a folder"
            remedy = "Check the path."
        case _:
            found = " ".join(str(cause).split()) or type(cause).__name__
    return DownloadError(url, found, "the file", remedy)

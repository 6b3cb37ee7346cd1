"""Downloads: retried, resumed, verified by SHA-256, and renamed into place only when complete."""

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
from urllib.parse import quote, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from mtlaerial.errors import DownloadError
from mtlaerial.system.files import discard
from mtlaerial.system.hashing import MEGABYTE, file_hashes
from mtlaerial.system.progress import Progress

log = logging.getLogger(__name__)
CHUNK = 2**16
RETRIED_STATUSES = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
"""HTTP statuses below 500 that are worth another attempt, as all from 500 on are."""
PERMANENT_REASONS = (FileNotFoundError, IsADirectoryError, PermissionError, str)
"""Types of :class:`URLError` reasons that no retry changes; urllib gives a string for a malformed URL."""
RESERVED = "!#$%&'()*+,/:;=?@[]~"
"""ASCII characters that a URL keeps as they are; % as it may be encoded already."""
CONNECTION_ERRORS = (URLError, ConnectionError, TimeoutError, ssl.SSLError, http.client.HTTPException)
"""Exceptions of the connection; any other OSError comes from the local disk."""


class Truncated(ConnectionError):
    """A response that ended before the file did."""


def fetch(
    source: str,
    target: Path,
    sha256: str | None = None,
    *,
    timeout: float = 30.0,
    attempts: int = 4,
    pause: float = 1.0,
) -> str:
    """Download a file and verify its hash.

    The bytes received so far lie in a hidden file beside the target. The next attempt resumes it if the server supports
    byte ranges; so does the next call, but only with ``sha256``, which proves that both parts belong together.

    Parameters
    ----------
    source : str
        A URL (``https:``, ``http:``, ``file:``), or the path of a file.
    target : Path
        The file's final path; it appears there when it is complete.
    sha256 : str, optional
        The published SHA-256 or its first hexadecimal digits.
    timeout : float
        Seconds without data after which a connection counts as dead.
    attempts : int
        Largest number of attempts; permanent failures, such as a wrong address, are not retried.
    pause : float
        Seconds before the second attempt; doubled before each further one.

    Returns
    -------
    str
        The complete SHA-256; it is logged too, so that it can be pinned.

    Raises
    ------
    DownloadError
        When the download fails, is truncated, or has another hash.
    """
    url = _encoded(source) if "://" in source else Path(source).resolve().as_uri()
    partial = target.with_name(f".{target.name}.part")
    if sha256 is None:
        discard(partial)  # possibly a part of another file
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _receive_with_retries(url, partial, timeout, attempts, pause)
        digest = _verify(url, partial, sha256)
        os.replace(partial, target)
    except OSError as error:
        remedy = "Free space, or choose another folder."
        raise DownloadError(target, error.strerror or str(error), "a place to write to", remedy) from None
    log.info("%s is in %s; its SHA-256 is %s", url, target, digest)
    return digest


def _receive_with_retries(url: str, partial: Path, timeout: float, attempts: int, pause: float) -> None:
    for attempt in range(1, attempts + 1):
        try:
            return _receive(url, partial, timeout)
        except CONNECTION_ERRORS as error:
            failure = _explain(url, error, timeout)
            if attempt == attempts or not _is_transient(error):
                raise failure from None
            wait = pause * 2 ** (attempt - 1)
            log.warning("%s: found %s; trying again in %g s", url, failure.found, wait)
            time.sleep(wait)


def _receive(url: str, partial: Path, timeout: float) -> None:
    """Complete the partial file: resume at its end if the server supports ranges, else start at byte 0."""
    size = partial.stat().st_size if partial.exists() else 0
    request = Request(url, headers={"Range": f"bytes={size}-"} if size else {})
    try:
        response = urlopen(request, timeout=timeout)
    except HTTPError as error:
        if not size or error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        discard(partial)  # 416: the partial file is not shorter than the file on the server
        return _receive(url, partial, timeout)
    with response:
        # A server without ranges answers 200 with the whole file.
        begin = size if response.status == HTTPStatus.PARTIAL_CONTENT else 0
        length = _content_length(url, response)
        total = begin + length if length is not None else None
        with partial.open("ab" if begin else "wb") as file:
            _copy(response, file, begin, total)


def _encoded(url: str) -> str:
    """Return a URL in ASCII: its host by IDNA, other characters as UTF-8 in percent-encoding.

    Raises
    ------
    DownloadError
        When it is no URL.
    """
    remedy = "Correct the address."
    try:
        parts = urlsplit(url)
        host = parts.netloc.encode("idna").decode()
        _ = parts.port  # raises for a port that is no number
    except ValueError as error:
        raise DownloadError(url, f"an address that is none ({error})", "https://SERVER/PATH", remedy) from None
    encoded = (quote(part, safe=RESERVED) for part in (parts.path, parts.query, parts.fragment))
    return urlunsplit((parts.scheme, host, *encoded))


def _content_length(url: str, response: http.client.HTTPResponse) -> int | None:
    """Return the number of bytes that a response states; None without any.

    Raises
    ------
    DownloadError
        When it states something else: nobody could tell whether the file is complete.
    """
    length = response.headers.get("Content-Length")
    if length is None or length.strip().isdecimal():
        return int(length) if length else None
    remedy = "Get the file from elsewhere, and name its path."
    raise DownloadError(url, f"a Content-Length of {length!r}", "a number of bytes", remedy)


def _copy(response: http.client.HTTPResponse, file: IO[bytes], done: int, total: int | None) -> None:
    """Append a response to a file that holds ``done`` of ``total`` bytes."""
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
    digest = file_hashes(path, "sha256")["sha256"]
    if sha256 and not digest.startswith(sha256.lower()):
        discard(path)  # else the next call would resume a wrong file
        remedy = "Run it again; if it stays so, this is not the published file: get it from its publisher."
        raise DownloadError(url, f"the SHA-256 {digest}", f"one that begins with {sha256}", remedy)
    return digest


def _is_transient(error: Exception) -> bool:
    """Tell whether a retry may succeed."""
    if isinstance(error, HTTPError):
        return error.code in RETRIED_STATUSES or error.code >= HTTPStatus.INTERNAL_SERVER_ERROR
    return not (isinstance(error, URLError) and isinstance(error.reason, PERMANENT_REASONS))


def _explain(url: str, error: Exception, timeout: float) -> DownloadError:
    """Translate an exception of the connection into an error with a remedy."""
    cause = error.reason if isinstance(error, URLError) and isinstance(error.reason, Exception) else error
    remedy = "Check the connection and run it again: it goes on where it stopped."
    match cause:
        case HTTPError():
            reason = f"the answer {cause.code} ({cause.reason})"
            if _is_transient(cause):
                remedy = "Try again later."
            else:
                remedy = "Correct the address, or get the file from elsewhere."
        case Truncated():
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

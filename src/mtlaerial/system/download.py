"""Downloads: retried, resumed, bounded, verified by SHA-256, and renamed into place only when complete."""

import http.client
import logging
import os
import time
from http import HTTPStatus
from pathlib import Path
from typing import IO
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit, urlunsplit
from urllib.request import Request, url2pathname

from mtlaerial.errors import DownloadError, system_reason
from mtlaerial.system.download_failure import CONNECTION_ERRORS, Truncated, explain, is_transient
from mtlaerial.system.download_limits import Limits, Pace
from mtlaerial.system.files import discard
from mtlaerial.system.hashing import MEGABYTE, file_hashes
from mtlaerial.system.progress import Progress
from mtlaerial.system.timed_http import TimeLimit, open_url

log = logging.getLogger(__name__)
CHUNK = 2**16
RESERVED = "!#$%&'()*+,/:;=?@[]~"
"""ASCII characters that a URL keeps as they are; % as it may be encoded already."""


LIMITS = Limits()
"""Of all downloads."""


def fetch(
    source: str,
    target: Path,
    sha256: str | None = None,
    *,
    attempts: int = 4,
    pause: float = 1.0,
    limits: Limits = LIMITS,
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
        The published SHA-256, in 64 hexadecimal digits.
    attempts : int
        Largest number of attempts; permanent failures, such as a wrong address, are not retried.
    pause : float
        Seconds before the second attempt; doubled before each further one.
    limits : Limits

    Returns
    -------
    str
        The SHA-256; it is logged too, so that it can be pinned.

    Raises
    ------
    DownloadError
        When the download fails, is truncated, exceeds a limit, or has another hash.
    """
    url = _encoded(source) if "://" in source else Path(source).resolve().as_uri()
    partial = target.with_name(f".{target.name}.part")
    if sha256 is None:
        discard(partial)  # possibly a part of another file
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _receive_with_retries(url, partial, attempts, pause, limits)
        digest = _verify(url, partial, sha256)
        os.replace(partial, target)
    except OSError as error:
        remedy = "Free space, or choose another folder."
        raise DownloadError(target, system_reason(error), "a place to write to", remedy) from None
    log.info("%s is in %s; its SHA-256 is %s", url, target, digest)
    return digest


def _receive_with_retries(url: str, partial: Path, attempts: int, pause: float, limits: Limits) -> None:
    _require_regular(url)
    with TimeLimit(limits.seconds) as duration:
        for attempt in range(1, attempts + 1):
            failure: DownloadError | None = None
            try:
                _receive(url, partial, limits, duration)
            except CONNECTION_ERRORS as error:
                failure = explain(url, error, limits.timeout)
                final = attempt == attempts or not is_transient(error)
            if duration.expired:  # which also ends a response that does not state its length
                remedy = "Run it again: it goes on where it stopped."
                raise DownloadError(url, "no end", f"the file within {limits.seconds:g} s", remedy)
            if failure is None:
                return
            if final:
                raise failure
            wait = pause * 2 ** (attempt - 1)
            log.warning("%s: found %s; trying again in %g s", url, failure.found, wait)
            time.sleep(wait)


def _require_regular(url: str) -> None:
    """Refuse a pipe or a device on this machine, which may have no end."""
    parts = urlsplit(url)
    path = Path(url2pathname(parts.path))
    if parts.scheme == "file" and path.exists() and not path.is_file() and not path.is_dir():
        raise DownloadError(url, "a device or a pipe", "a file", "Check the path.")


def _receive(url: str, partial: Path, limits: Limits, duration: TimeLimit) -> None:
    """Complete the partial file: resume at its end if the server supports ranges, else start at byte 0."""
    size = partial.stat().st_size if partial.exists() else 0
    request = Request(url, headers={"Range": f"bytes={size}-"} if size else {})
    try:
        response = open_url(request, limits.timeout, duration)
    except HTTPError as error:
        if not size or error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        discard(partial)  # 416: the partial file is not shorter than the file on the server
        return _receive(url, partial, limits, duration)
    with response:
        # A server without ranges answers 200 with the whole file.
        begin = size if response.status == HTTPStatus.PARTIAL_CONTENT else 0
        length = _content_length(url, response)
        total = begin + length if length is not None else None
        if total is not None and total > limits.size:
            raise _too_large(url, f"a file of {total:,} bytes", limits)
        with partial.open("ab" if begin else "wb") as file:
            complete = _copy(response, file, begin, total, limits)
    if not complete:
        discard(partial)
        raise _too_large(url, f"more than {limits.size:,} bytes", limits)


def _too_large(url: str, size: str, limits: Limits) -> DownloadError:
    remedy = "It is not the file that is meant: correct the address, or get the file from its publisher."
    return DownloadError(url, size, f"at most {limits.size:,}", remedy)


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


def _copy(response: http.client.HTTPResponse, file: IO[bytes], done: int, total: int | None, limits: Limits) -> bool:
    """Append a response to a file that holds ``done`` of ``total`` bytes; return False at the limit of the size."""
    bar = Progress(-(-total // MEGABYTE), "fetching", "MB", done // MEGABYTE) if total else None
    pace = Pace(limits)
    while (total is None or done < total) and (chunk := response.read1(CHUNK)):
        if done + len(chunk) > limits.size:
            return False
        file.write(chunk)
        pace.count(len(chunk))
        if bar:
            bar.update((done + len(chunk)) // MEGABYTE - done // MEGABYTE)
        done += len(chunk)
    if bar:
        bar.close()
    if total is not None and done < total:
        raise Truncated(f"{done} of {total} bytes")
    return True


def _verify(url: str, path: Path, sha256: str | None) -> str:
    digest = file_hashes(path, "sha256")["sha256"]
    if sha256 and digest != sha256.lower():
        discard(path)  # else the next call would resume a wrong file
        remedy = "Run it again; if it stays so, this is not the published file: get it from its publisher."
        raise DownloadError(url, f"the SHA-256 {digest}", f"{sha256}, as published", remedy)
    return digest

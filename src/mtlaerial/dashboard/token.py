"""Access token of a dashboard: its server writes it to a file, trainings of the same user read it there."""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from mtlaerial.system.files import discard, partial_path, writable

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Names of this machine, or of the near end of a tunnel; a token is sent to no other host."""
TOKEN = re.compile(r"[\w-]+", re.ASCII)
TOKEN_BYTES = 32


def token_path(port: int) -> Path:
    """Return the path of the token of the dashboard at a port of this machine.

    The folder is the user's for states of programs (``XDG_STATE_HOME``), which a cluster's nodes usually share.

    Examples
    --------
    >>> token_path(8097).name
    'dashboard_8097.token'
    """
    folder = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(folder) / "mtlaerial" / f"dashboard_{port}.token"


def path_for(url: str) -> Path | None:
    """Return the path of the token for a URL; None where it leads to another machine."""
    address = urlsplit(url)
    if address.hostname not in LOOPBACK:
        return None
    return token_path(address.port or {"http": 80, "https": 443}[address.scheme])


def read_token(url: str) -> str | None:
    """Return the token for a URL; None if there is none, as for a Visdom that ``mtlaerial dashboard`` did not start."""
    path = path_for(url)
    if path is None:
        return None
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return token if TOKEN.fullmatch(token) else None


@contextmanager
def published_token(port: int) -> Iterator[str]:
    """Yield a new token that stands in the file of its port, readable by its owner alone, until the block ends.

    Raises
    ------
    DataError
        When the file cannot be written.
    """
    token, path = secrets.token_urlsafe(TOKEN_BYTES), token_path(port)
    _write_private(path, token)
    try:
        yield token
    finally:
        with suppress(OSError, ValueError):
            # Where nodes share the folder, a dashboard of another node may have replaced the token.
            if path.read_text(encoding="ascii").strip() == token:
                discard(path)


def _write_private(path: Path, text: str) -> None:
    partial = partial_path(path)
    try:
        with writable(path):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            discard(partial)
            # The mode is given at creation: a file that is only later made private can be opened before.
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="ascii") as file:
                file.write(f"{text}\n")
            os.replace(partial, path)
    finally:
        discard(partial)

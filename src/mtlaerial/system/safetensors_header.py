"""Length of a safetensors file's header, which says names, shapes and places of its tensors."""

import struct
from pathlib import Path

from mtlaerial.errors import DataError

MAX_HEADER = 2**23
"""Bytes of a header; that of the largest network has 2e5. The safetensors library itself would parse 1e8."""
_LENGTH = struct.Struct("<Q")


def require_header(path: Path) -> None:
    """Refuse a safetensors file whose header is longer than that of any network, or than the file.

    Raises
    ------
    DataError
        When the header is too long, or the file is no regular file.
    OSError
        When the file cannot be read.
    """
    remedy = "Get the file anew: it is damaged or something else."
    if path.exists() and not path.is_file():
        raise DataError(path, "a folder, a device or a pipe", "a safetensors file", remedy)
    with path.open("rb") as file:
        head = file.read(_LENGTH.size)
    if len(head) == _LENGTH.size:
        (length,) = _LENGTH.unpack(head)
        if length > MAX_HEADER:
            expected = f"at most {MAX_HEADER:,}, as of the weights of a network"
            raise DataError(path, f"a header of {length:,} bytes", expected, remedy)

"""Size of a zip archive's central directory, its list of members, before it is read.

Offsets are those of PKWARE's APPNOTE 6.3, sections 4.3.14 to 4.3.16.
"""

import struct
from pathlib import Path

END, END64 = b"PK\x05\x06", b"PK\x06\x06"
"""Signatures of the end record, and of that of zip64."""
END_BYTES, LOCATOR_BYTES, END64_BYTES = 22, 20, 56
LONGEST_COMMENT = 2**16 - 1


def directory_bytes(path: Path) -> int:
    """Return the size in bytes of a zip archive's central directory; 0 if the file is no such archive."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - END_BYTES - LONGEST_COMMENT - LOCATOR_BYTES - END64_BYTES))
        tail = file.read()
    end = _end_record(tail)
    if end < 0 or len(tail) - end < END_BYTES:
        return 0
    (listed,) = struct.unpack_from("<L", tail, end + 12)
    end64 = end - LOCATOR_BYTES - END64_BYTES
    # As for zipfile, the record of zip64 counts wherever there is one.
    if end64 >= 0 and tail.startswith(END64, end64):
        (listed,) = struct.unpack_from("<Q", tail, end64 + 40)
    return int(listed)


def _end_record(tail: bytes) -> int:
    """Return the position of the end record: at the very end, else the last one before a comment; -1 without any."""
    last = len(tail) - END_BYTES
    if last >= 0 and tail.startswith(END, last) and tail.endswith(b"\x00\x00"):
        return last
    return tail.rfind(END)

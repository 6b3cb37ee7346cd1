"""Random changes of valid bytes, which follow from a random generator alone."""

import random
import struct
from collections.abc import Callable, Sequence

NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1, -1)
"""Values at the borders of integers, written in place of others."""
LARGEST = 2**22
"""Bytes of a mutated input at most: repeated copies would double it again and again."""


def mutated(rng: random.Random, seeds: Sequence[bytes]) -> bytes:
    """Return one of the seeds with one to eight changes; mostly few, which get further into a reader."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        rng.choice(_CHANGES)(rng, data, seeds)
    return bytes(data[:LARGEST])


def _flip(rng: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    for _ in range(rng.choice((1, 1, 4, 64))):
        if data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _number(rng: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    kind = rng.choice(["<B", "<H", "<I", "<Q", ">H", ">I", ">Q"])
    size = struct.calcsize(kind)
    if len(data) >= size:
        struct.pack_into(kind, data, rng.randrange(len(data) - size + 1), rng.choice(NUMBERS) % 2 ** (8 * size))


def _cut(rng: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    begin = rng.randrange(len(data) + 1)
    del data[begin : begin + rng.choice((1, 4, 100, len(data)))]


def _insert(rng: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.randbytes(rng.choice((1, 2, 8, 64)))


def _repeat(rng: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    begin = rng.randrange(len(data) + 1)
    piece = bytes(data[begin : begin + rng.choice((1, 8, 200))])
    data[begin:begin] = piece * rng.choice((1, 2, 50))


def _splice(rng: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    other = rng.choice(seeds)
    begin, length = rng.randrange(len(other) + 1), rng.choice((8, 64, 1000))
    at = rng.randrange(len(data) + 1)
    data[at : at + length] = other[begin : begin + length]


_CHANGES: tuple[Callable[[random.Random, bytearray, Sequence[bytes]], None], ...] = (
    _flip, _flip, _number, _number, _cut, _insert, _repeat, _splice,
)  # fmt: skip

"""Vertices of a city model, which go to a file as they are numbered."""

from typing import TextIO

_BAND = 1 << 14
"""Steps of the second coordinate of the vertices that are forgotten together."""


class VertexTable:
    """Vertices as whole numbers, each once, as the elements of a JSON array.

    Parameters
    ----------
    file : TextIO
        Takes the elements, separated by commas.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._bands: dict[int, dict[tuple[int, int, int], int]] = {}
        self.count = 0
        """Number of vertices."""
        self.lowest: list[int] = []
        self.highest: list[int] = []
        """Least and greatest coordinates; empty without vertices."""

    def number(self, x: int, y: int, z: int) -> int:
        """Return the number of a vertex, from 0 in the order of first use."""
        band = self._bands.setdefault(y // _BAND, {})
        number = band.setdefault((x, y, z), self.count)
        if number == self.count:
            self._append([x, y, z])
        return number

    def forget_north_of(self, y: int) -> None:
        """Forget vertices that no further object has, as all of these are south of a coordinate."""
        for band in [band for band in self._bands if band > y // _BAND]:
            del self._bands[band]

    def _append(self, vertex: list[int]) -> None:
        x, y, z = vertex
        self._file.write(f"{',' if self.count else ''}[{x},{y},{z}]")
        self.lowest = list(map(min, self.lowest, vertex)) if self.count else vertex
        self.highest = list(map(max, self.highest, vertex)) if self.count else vertex
        self.count += 1

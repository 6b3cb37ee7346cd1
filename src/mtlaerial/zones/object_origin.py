"""Origin of objects: the run and the images whose maps they were made of, against those of other maps."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import shorten

from mtlaerial.zones.object_counts import COMMAND, read_layer_info

_LONGEST_LIST = 80
"""Characters of the names of runs or images in a sentence."""


def other_origin(path: Path, origin: Mapping[str, str]) -> list[str]:
    """Return a sentence if objects are of another run or image than maps; none where their file states no origin.

    Parameters
    ----------
    path : Path
        GeoPackage that :func:`mtlaerial.objects.vectorise.vectorise` wrote.
    origin : mapping of str to str
        Of the maps (:attr:`mtlaerial.maps.map_folder.MapFolder.origin`).

    Raises
    ------
    DataError
        When it is no such file.
    """
    stated = read_layer_info(path)["layer_metadata"] or {}
    differences = [text for key in ("RUN", "IMAGE") if (text := _difference(key, stated, origin))]
    if not differences:
        return []
    return [f"{path.name} has objects of {' and of '.join(differences)}. Those of the maps: {COMMAND}"]


def _difference(key: str, stated: Mapping[str, str], origin: Mapping[str, str]) -> str:
    """Return the run or the images that objects state if the maps' is not among them; empty otherwise."""
    noun, identity = key.lower(), f"{key}_ID"
    if not _among(origin.get(key), stated.get(key)):
        return f"the {noun} {shorten(stated[key], _LONGEST_LIST, placeholder=' …')} (the maps: {origin[key]})"
    if not _among(origin.get(identity), stated.get(identity)):
        return f"another {noun} called {origin.get(key)}"
    return ""


def _among(name: str | None, listed: str | None) -> bool:
    """Tell whether a name is in a list with commas, as that of several maps is; yes if one of both is not known."""
    return name is None or listed is None or f", {name}," in f", {listed},"

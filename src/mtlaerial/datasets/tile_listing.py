"""Tiles that names with wildcards stand for: those that have images in the folder of a data set."""

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import Any

from mtlaerial.config import SPLITS, DatasetSpec
from mtlaerial.config.tile_fields import FIELD, has_wildcard, is_per_tile
from mtlaerial.datasets.folder_spelling import find_folder
from mtlaerial.errors import ConfigError, DataError


def has_wildcards(spec: DatasetSpec) -> bool:
    """Tell whether names of tiles in splits or areas have wildcards."""
    return any(map(has_wildcard, spec.tiles))


def require_listed(spec: DatasetSpec) -> None:
    """Refuse wildcards where there are no images yet that they could stand for.

    Raises
    ------
    ConfigError
    """
    names = [tile for tile in spec.tiles if has_wildcard(tile)]
    if names:
        observed = f"{', '.join(names[:3])}, which stand for tiles whose images exist"
        raise ConfigError("splits, areas", observed, "names of tiles to generate", "List some in a copy of the file.")


def with_listed_tiles(spec: DatasetSpec, root: Path, provided: Mapping[Path, Path], name: str) -> DatasetSpec:
    """Return a specification whose names with wildcards are replaced by those of the tiles that have images.

    A tile belongs to the first of test, val and train that names it, or else matches it; of areas to the first in
    their order. So ``{train: ["*"], test: ["jax_2*"]}`` trains on all that is not tested.

    Parameters
    ----------
    spec : DatasetSpec
    root : Path
        Folder of the files.
    provided : mapping of Path to Path
        Files from archives, unpacked or still to be.
    name : str
        Of the specification, for messages.

    Raises
    ------
    DataError
        When a name with a wildcard matches no tile.
    ConfigError
        When the tiles do not fit the specification.
    """
    tiles = sorted({*_existing_tiles(spec, root, provided)})
    groups: Mapping[Any, Sequence[str]] = spec.splits or spec.areas
    order = [split for split in reversed(SPLITS) if split in groups] if spec.splits else [*groups]
    exact = {tile for listed in groups.values() for tile in listed if not has_wildcard(tile)}
    free = [tile for tile in tiles if tile not in exact]
    members: dict[str, tuple[str, ...]] = {}
    for group in order:
        members[group] = tuple(_members(groups[group], free, root, spec))
        free = [tile for tile in free if tile not in members[group]]
    key = "splits" if spec.splits else "areas"
    listed = {group: members[group] for group in groups}
    return DatasetSpec.parse({**spec.model_dump(mode="json"), key: listed}, name)


def _members(names: Sequence[str], free: Sequence[str], root: Path, spec: DatasetSpec) -> Iterator[str]:
    """Yield the tiles of a group: those named, and those that match a name with a wildcard, each once."""
    taken: set[str] = set()
    for name in names:
        matching = [tile for tile in free if fnmatchcase(tile, name)] if has_wildcard(name) else [name]
        if not matching:
            patterns = " or ".join(spec.image.files)
            raise DataError(root, f"no image of a tile like {name}", f"some, at {patterns}", spec.obtain)
        yield from (tile for tile in matching if tile not in taken)
        taken.update(matching)


def _existing_tiles(spec: DatasetSpec, root: Path, provided: Mapping[Path, Path]) -> Iterator[str]:
    """Yield the tile of each image below the root, or in an archive that will be unpacked there."""
    folders = frozenset(folder for path in provided for folder in path.parents)
    for pattern in filter(is_per_tile, spec.image.files):
        parts = PurePath(pattern).parts
        fixed = next(number for number, part in enumerate(parts) if is_per_tile(part))
        expression = _expression("/".join(parts[fixed:]))
        for folder in spec.folders:
            base = find_folder(root, Path(folder, *parts[:fixed]), folders)
            paths = {
                *base.glob("/".join("*" for _ in parts[fixed:])),
                *(path for path in provided if base in path.parents),
            }
            for path in paths:
                match = expression.fullmatch(path.relative_to(base).as_posix())
                if match:
                    yield _tile(match.groupdict(), pattern, spec)


def _expression(pattern: str) -> re.Pattern[str]:
    """Return the expression of a pattern's paths: a group for each field, and its ending in either case."""
    stem, dot, ending = pattern.rpartition(".")
    seen: set[str] = set()

    def group(match: re.Match[str]) -> str:
        if match[1] in seen:
            return f"(?P={match[1]})"
        seen.add(match[1])
        return rf"(?P<{match[1]}>[^\W_][^/]*?)"

    literal = FIELD.split(stem)[::3]
    fields = [group(match) for match in FIELD.finditer(stem)]
    text = "".join(re.escape(part) + field for part, field in zip(literal, [*fields, ""], strict=True))
    return re.compile(f"{text}{re.escape(dot)}(?:{re.escape(ending)}|{re.escape(ending.swapcase())})")


def _tile(fields: Mapping[str, str], pattern: str, spec: DatasetSpec) -> str:
    """Return the name of a tile from the fields of its image's path; padding with zeros is taken off."""
    if "tile" in fields:
        return fields["tile"]
    padded = {name for name, digits in FIELD.findall(pattern) if digits}
    plain = {name: value.lstrip("0") or "0" if name in padded else value for name, value in fields.items()}
    names = [field for field, _ in FIELD.findall(spec.tile_name or "")]
    if absent := [field for field in names if field not in plain]:
        observed = f"{pattern} without {{{absent[0]}}}"
        raise ConfigError("image.files", observed, "all fields of tile_name, as names of tiles have *", "Add it.")
    return FIELD.sub(lambda match: plain[match[1]], spec.tile_name or "")

"""Missing files that lie elsewhere below the data root, or under a name of another case."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mtlaerial.config import PREPARED_LAYERS
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.inventory import take_inventory
from mtlaerial.datasets.other_archives import find_archive


@dataclass(frozen=True)
class Misplaced:
    """A file of a missing file's name: where it lies, as text, and what to do."""

    place: str
    remedy: str


def find_misplaced(dataset: Dataset, accepted: Sequence[Path]) -> Misplaced | None:
    """Return where a file of the name of a missing one lies, or the archive that holds one; None if nowhere.

    Parameters
    ----------
    dataset : Dataset
    accepted : sequence of Path
        The accepted paths of the missing file, preferred ones first.
    """
    if misplaced := find_misplaced_file(dataset, accepted):
        return misplaced
    offer = find_archive(dataset, accepted)
    if offer is None:
        return None
    remedy = f"{offer.action} {offer.archive.name} {offer.target}."
    return Misplaced(f"{offer.archive} holds one of that name", remedy)


def find_misplaced_file(dataset: Dataset, accepted: Sequence[Path]) -> Misplaced | None:
    """Return where a file of the name of a missing one lies; None if there is none outside archives."""
    files = take_inventory(dataset.root).files
    for expected in {path.name.casefold(): path for path in reversed(accepted)}.values():
        name = expected.name.casefold()
        ambiguous = _count_sources(dataset, name) > 1  # then the folder tells the layer
        for path in files.get(name, ()):
            # It may have moved since files were listed.
            if path.exists() and not (ambiguous and not _shares_folder(dataset, accepted, path)):
                return Misplaced(f"one of that name is {path}", _move(dataset, expected, path))
    return None


def _shares_folder(dataset: Dataset, accepted: Sequence[Path], path: Path) -> bool:
    """Tell whether a file lies below a folder of the name of an expected one."""
    folders = {expected.parent.name.casefold() for expected in accepted if expected.parent != dataset.root}
    return not folders.isdisjoint(part.casefold() for part in path.relative_to(dataset.root).parent.parts)


def _count_sources(dataset: Dataset, name: str) -> int:
    """Return the number of sources (layers; surface and ground are two) that have a file of a case-folded name."""
    sources = set()
    for tile in dataset.spec.tiles:
        for layer in PREPARED_LAYERS:
            for index, accepted in enumerate(dataset.patterns(layer, tile)):
                names = {Path(dataset.places.fill(pattern, tile)).name.casefold() for pattern in accepted}
                if name in names:
                    sources.add((layer, index))
    return len(sources)


def _move(dataset: Dataset, expected: Path, actual: Path) -> str:
    """Return what to do with a file that lies elsewhere: name the folder that it is expected below."""
    if actual.parent == expected.parent:
        return "Rename it to the name expected: upper and lower case differ."  # the same for all files of a layer
    move = "Move it to where it is expected"
    if actual.stem != expected.stem:  # endings may differ in case
        move += ", under the name expected (upper and lower case differ)"
    below_root, parts = expected.parts[len(dataset.root.parts) :], actual.relative_to(dataset.root).parts
    if not (len(parts) > len(below_root) and parts[-len(below_root) :] == below_root):
        return f"{move}, or correct its path in the specification."
    folder = Path(*parts[: -len(below_root)]).as_posix()
    images = [path for tile in dataset.spec.tiles for path in dataset.files("image", tile)]
    if any(map(dataset.exists, images)):  # the root is right
        folders = json.dumps([*dataset.spec.folders, folder], ensure_ascii=False)
        return f"{move}, or set folders: {folders} in the specification."
    return f"Give {dataset.root / folder} as the data set's folder (--root, or root)."

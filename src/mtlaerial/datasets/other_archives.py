"""Archives of names that the specification does not list: the missing files in them, and which archive each may be."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from mtlaerial.config.sources import ArchiveSpec
from mtlaerial.datasets.archives import FOLDERS
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.deeper_folders import ABOVE
from mtlaerial.datasets.folder_spelling import normalise
from mtlaerial.datasets.inventory import take_inventory

Members = Sequence[PurePosixPath]


@dataclass(frozen=True)
class Offer:
    """An archive that holds missing files.

    Attributes
    ----------
    archive : Path
    files : int
        Number of missing files that it holds.
    action, target : str
        What to do: ``Rename`` and ``to town.zip``, with the archive between them.
    """

    archive: Path
    files: int
    action: str
    target: str


def archive_notes(dataset: Dataset, gaps: Sequence[Sequence[Path]]) -> list[str]:
    """Return a sentence on each archive that is not listed but holds missing files, or that holds archives.

    Parameters
    ----------
    dataset : Dataset
    gaps : sequence of sequence of Path
        The accepted paths of each missing file.
    """
    files, noun = len(gaps), "file" if len(gaps) == 1 else "files"
    notes = [
        f"{offer.archive} holds {offer.files} of the {files} missing {noun}: {offer.action.lower()} it {offer.target}."
        for offer in _offers(dataset, gaps)
    ]
    inventory = take_inventory(dataset.root)
    for path, members in inventory.archives.items():
        inner = [member.name for member in members if member.suffix.lower() == ".zip"]
        packed = [name for name in inner if name.casefold() not in inventory.files]
        if packed:
            notes.append(
                f"{path} holds archives: unpack it, and put {' and '.join(sorted(packed))} into {dataset.root}."
            )
    return notes


def find_archive(dataset: Dataset, accepted: Sequence[Path]) -> Offer | None:
    """Return an archive that is not listed and holds a missing file; None if there is none."""
    return next(iter(_offers(dataset, [accepted])), None)


def _offers(dataset: Dataset, gaps: Sequence[Sequence[Path]]) -> list[Offer]:
    listed = {entry.path for entry in dataset.archives}  # they are unpacked without help
    archives = take_inventory(dataset.root).archives
    unlisted = {path: members for path, members in archives.items() if path not in listed and path.exists()}
    offers = [_offer(dataset, path, members, gaps) for path, members in unlisted.items()]
    return [offer for offer in offers if offer]


def _offer(dataset: Dataset, path: Path, members: Members, gaps: Sequence[Sequence[Path]]) -> Offer | None:
    """Return the archive as one of the listed ones that are missing, else by the names of its files alone."""
    absent = [entry.spec for entry in dataset.archives if entry.path is None and not entry.mark.exists()]
    for above in range(ABOVE + 1):
        filled = {spec.file: _filled(dataset.root, spec, members, gaps, above) for spec in absent}
        best = max(filled, key=lambda name: filled[name], default=None)
        if best and _is_likely(dataset, *filled[best]):
            return Offer(path, filled[best][0], *_rename(dataset.root, path, best))
    names = {member.name.casefold() for member in members}
    files = sum(1 for accepted in gaps if any(expected.name.casefold() in names for expected in accepted))
    return Offer(path, files, "Unpack", f"in {dataset.root}") if files else None


def _is_likely(dataset: Dataset, files: int, preferred: int) -> bool:
    """Tell whether an archive may be a listed one: it fits where files are expected first, or required ones lack."""
    return preferred > 0 or (files > 0 and dataset.incomplete)


def _filled(
    root: Path, spec: ArchiveSpec, members: Members, gaps: Sequence[Sequence[Path]], above: int
) -> tuple[int, int]:
    """Return how many missing files an archive would provide as a listed one, and how many at their preferred place.

    ``above`` is the number of folders to leave out at the beginning of its members' paths.
    """
    places = {_comparable(PurePosixPath(spec.into, *member.parts[above:])) for member in members}
    gaps_at = [[_comparable(path.relative_to(root)) in places for path in accepted] for accepted in gaps]
    return sum(map(any, gaps_at)), sum(provided[0] for provided in gaps_at)


def _comparable(path: PurePath) -> tuple[str, ...]:
    """Return the parts of a path without what spellings of folders differ in."""
    return (*map(normalise, path.parent.parts), path.name.casefold())


def _rename(root: Path, path: Path, name: str) -> tuple[str, str]:
    """Return action and target for an archive that is a listed one."""
    if path.parent in {root / folder for folder in FOLDERS}:
        return "Rename", f"to {name}"
    return "Move", f"to {root / name}"

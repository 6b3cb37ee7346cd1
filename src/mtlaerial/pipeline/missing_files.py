"""Text about missing files: the searched paths, and where to get them."""

from mtlaerial.config import LAYERS
from mtlaerial.datasets.archives import Archive
from mtlaerial.datasets.catalog import Dataset, Missing
from mtlaerial.datasets.misplaced import find_misplaced_file
from mtlaerial.datasets.other_archives import archive_notes
from mtlaerial.system.absence import NOTHING, absence

SHOWN = 4
"""Missing files listed per data set and layer."""


def missing_text(dataset: Dataset, gaps: list[Missing]) -> str:
    """Return the missing files of a data set, by layer, with accepted spellings and sources."""
    lines = [f"Data set {dataset.name} ({dataset.spec.title}): {len(gaps)} required files are missing."]
    if not dataset.root.is_dir():
        lines.append(f"  The folder {dataset.root} does not exist.")
    for layer in dict.fromkeys(gap.layer for gap in gaps):
        of_layer = [gap for gap in gaps if gap.layer == layer]
        paths = list(dict.fromkeys(_place(gap) for gap in of_layer))
        others = dict.fromkeys(pattern for gap in of_layer for pattern in gap.accepted[1:])
        lines.append(f"  {layer}: {len(of_layer)} missing; looked for")
        lines += [f"    {path}" for path in paths[:SHOWN]]
        lines += [f"    … and {len(paths) - SHOWN} more"] if len(paths) > SHOWN else []
        lines += [f"    Also accepted: {', '.join(others)}"] if others else []
        lines += _elsewhere(dataset, of_layer)
        lines += [f"    {source}"] if (source := dataset.obtain(layer)) else []
        if layer in LAYERS[1:]:
            lines.append(f"    Or list the tiles that have none, or their split, in {layer}.optional.")
    if len(dataset.spec.folders) > 1:
        places = (str(dataset.root / folder) for folder in dataset.spec.folders)
        lines.append(f"  Each may lie below {' or '.join(places)}.")
    lines += [f"  {note}" for note in archive_notes(dataset, [gap.looked_for for gap in gaps])]
    lines.append(f"  Where to get it: {dataset.spec.obtain}")
    lines += filter(None, map(_archive_text, dataset.archives))
    lines.append(f"  Put it into {dataset.root}, or set datasets.{dataset.name}.root in the configuration.")
    return "\n".join(lines)


def _place(gap: Missing) -> str:
    """Return the preferred path of a missing file, and what is there if it is a broken symbolic link."""
    absent = absence(*gap.looked_for)
    return str(gap.looked_for[0]) + ("" if absent == NOTHING else f" (found {absent})")


def _elsewhere(dataset: Dataset, gaps: list[Missing]) -> list[str]:
    """Return a line for each remedy for files that lie elsewhere, with one of them."""
    places: dict[str, list[str]] = {}
    for gap in gaps:
        if misplaced := find_misplaced_file(dataset, gap.looked_for):
            places.setdefault(misplaced.remedy, []).append(misplaced.place)
    return [f"    For {len(paths)} of them, {_list_first(paths)}. {remedy}" for remedy, paths in places.items()]


def _list_first(places: list[str]) -> str:
    return places[0] if len(places) == 1 else f"{places[0]}, and so on"


def _archive_text(archive: Archive) -> str:
    """Return a line on an archive that is missing, or whose files are; else an empty string."""
    spec = archive.spec
    if archive.mark.exists():
        lost = len(archive.members) - len(archive.provided)
        gone = f"  Of {spec.file}, {lost} unpacked files are gone; delete {archive.mark} to unpack it again"
        return gone if lost else ""
    if archive.path:
        return ""
    hashes = "".join(f"; {algorithm.upper()} {value}" for algorithm, value in spec.published.items())
    treatment = "verified and unpacked" if spec.published else "unpacked"
    return (
        f"  {'Optional archive' if spec.optional else 'Archive'} {spec.file}: {spec.holds}{hashes}\n"
        f"    Get it from {spec.page} and put it into {archive.root}; it is {treatment} by the workflow."
    )

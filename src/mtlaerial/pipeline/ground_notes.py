"""Notes on tiles on ground that the runs which trainings begin with were trained on, before anything is trained."""

from collections.abc import Iterator

from mtlaerial.config import Split
from mtlaerial.datasets.buffer import later_tiles
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.footprints import Bounds, Footprint, read_footprint
from mtlaerial.errors import UserError
from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.project_starts import run_of, start_of
from mtlaerial.pipeline.start import Start
from mtlaerial.pipeline.transfer_plan import transferred_methods
from mtlaerial.runs.ground import Ground
from mtlaerial.runs.run import load_description
from mtlaerial.runs.seen_ground import NewTiles, Trained, ancestors, ground_notes
from mtlaerial.runs.start import is_run

Uses = tuple[tuple[Split, str], ...]
_USES: Uses = (("val", "validation"), ("test", "test"))


def start_ground_notes(start: Start | None, method: str, dataset: Dataset) -> list[str]:
    """Return sentences on validation and test tiles of a training that begins with a finished run.

    Parameters
    ----------
    start : Start or None
        The weights that it begins with.
    method : str
    dataset : Dataset
        That of the training; tiles are placed by the headers of their raw images.
    """
    if start is None or not is_run(start.path):
        return []
    return _notes(method, _trained(start), dataset)


def project_ground_notes(project: Project) -> list[str]:
    """Return such sentences on all selected trainings and transfers, those that begin with a run of the workflow too.

    Of a run that is still to be trained, the raw images of its training tiles are read.
    """
    notes: list[str] = []
    for name, method in project.trainings():
        trained = list(_of_project(project, name, method))
        if trained:
            notes += _notes(method, trained, project.dataset(name))
    for name, method, tested in transferred_methods(project):
        ground = _raw_ground(project.dataset(name))
        trained = [Trained("", ground, expected=ground is not None)]
        for source in project.sources_of(name, method):
            trained += _of_project(project, name, source)
        notes += _notes(f"{method} ({name})", trained, project.dataset(tested), _USES[1:])
    return list(dict.fromkeys(notes))


def _of_project(project: Project, dataset: str, method: str) -> Iterator[Trained]:
    """Yield the runs that a training of the workflow begins with; check_starts has refused circles."""
    start = start_of(project, method)
    if start is None or not is_run(start.path):
        return
    source = run_of(project, start.path)
    if source is None:
        yield from _trained(start)
        return
    ground = _raw_ground(project.dataset(source.dataset))
    yield Trained(f"{source.dataset}/{source.method}", ground, expected=ground is not None)
    yield from _of_project(project, source.dataset, project.weights_of(*source))


def _trained(start: Start) -> list[Trained]:
    try:
        run = load_description(start.path)
    except UserError:  # of which the check of initial weights tells
        return []
    return [Trained(run.name, run.ground), *ancestors(run.start)]


def _notes(method: str, trained: list[Trained], dataset: Dataset, uses: Uses = _USES) -> list[str]:
    if dataset.spec.generated:
        return []
    notes = []
    for split, use in uses:
        tiles = dataset.spec.splits.get(split, ())
        footprints = _footprints(dataset, tiles)
        if tiles and footprints is not None:
            new = NewTiles(dataset.name, use, footprints, len(tiles) - len(footprints))
            notes += ground_notes(method, trained, new)
    return notes


def _raw_ground(dataset: Dataset) -> Ground | None:
    """Return the ground of a data set's training tiles by their raw images; None where these cannot be read yet."""
    if dataset.spec.generated:
        return Ground(dataset=dataset.name, generated=True)
    tiles = dataset.spec.splits.get("train", ())
    footprints = _footprints(dataset, tiles)
    if footprints is None:
        return None
    placed: dict[str, dict[str, Bounds]] = {}
    for footprint in footprints:
        placed.setdefault(footprint.crs or "", {})[footprint.tile] = footprint.bounds
    kept_from = later_tiles(dataset, "train") if dataset.spec.buffer else ()
    return Ground(dataset=dataset.name, tiles=placed, unplaced=len(tiles) - len(footprints), kept_from=kept_from)


def _footprints(dataset: Dataset, tiles: tuple[str, ...]) -> list[Footprint] | None:
    """Return the footprints of the tiles that have a georeference and a CRS; None where an image cannot be read."""
    try:
        placed = [read_footprint(dataset, tile) for tile in tiles]
    except (UserError, IndexError):  # of which the check of the files tells
        return None
    return [footprint for footprint in placed if footprint and footprint.crs]

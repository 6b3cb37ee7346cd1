"""Tiles on ground that a run, or one that it began with, was trained on."""

import json
from pathlib import Path

import numpy as np
import yaml

from mtlaerial.datasets.footprints import Footprint, reproject
from mtlaerial.rasters.projection import horizontal_projection
from mtlaerial.runs.ground import Ground
from mtlaerial.runs.prepared_ground import recorded_footprints, training_ground
from mtlaerial.runs.seen_ground import NewTiles, Trained, ancestors, ground_notes, prepared_tiles
from mtlaerial.runs.start import StartRecord
from mtlaerial.tiles.record import RECORD, TileRecord
from support import tiny

SIDE = 20.0
"""Metres of a tile's side."""


def tile(folder: Path, name: str, east: float = 0.0, pixel: float = 0.5, held_out: tuple[str, ...] = ()) -> Path:
    """Write the image and the record of a prepared tile so many metres to the east."""
    image = np.zeros((3, 40, 40), np.uint8)
    tiny.write_raster(folder / name / "image.tif", image, pixel=pixel, west=tiny.WEST + east)
    record = TileRecord(keys={"held_out": list(held_out)}, sources={}, sha256={})
    (folder / name / RECORD).write_text(record.model_dump_json())
    return folder / name


def notes(ground: Ground | None, *tiles: Path, dataset: str = "new", name: str = "town/equal/seed0") -> list[str]:
    return ground_notes("fine", [Trained(name, ground)], prepared_tiles(tiles, dataset, "test"))


def test_tiles_on_seen_ground_are_named_and_neighbours_are_not(tmp_path: Path) -> None:
    ground = training_ground([tile(tmp_path / "old", "a")], "town", generated=False)
    within, beside = tile(tmp_path, "within", east=SIDE / 2), tile(tmp_path, "beside", east=SIDE)
    place = "on ground that town/equal/seed0, which it began with, was trained on"
    assert notes(ground, within, beside) == [f"fine: test tiles {place}, so that their scores may be too high: within."]
    assert "on ground that it was trained on" in notes(ground, within, name="")[0]
    assert notes(ground, beside) == []


def test_ground_is_seen_in_another_crs_too(tmp_path: Path) -> None:
    ground = training_ground([tile(tmp_path, "a")], "town", generated=False)
    (footprint,) = recorded_footprints(ground)
    other = horizontal_projection("EPSG:32632")
    bounds = reproject(footprint, other).bounds
    moved = bounds[0] + 10 * SIDE, bounds[1], bounds[2] + 10 * SIDE, bounds[3]
    for place, seen in ((bounds, True), (moved, False)):
        new = NewTiles("new", "test", [Footprint(tile="b", group="", bounds=place, crs="EPSG:32632")], 0)
        assert bool(ground_notes("fine", [Trained("town", ground)], new)) == seen


def test_ground_whose_truth_a_buffer_left_out_is_not_seen(tmp_path: Path) -> None:
    ground = training_ground([tile(tmp_path, "a", held_out=("b",))], "town", generated=False)
    assert ground.kept_from == ("b",)
    overlapping = tile(tmp_path, "b", east=SIDE / 2)
    assert notes(ground, overlapping, dataset="town") == []
    assert notes(ground, overlapping, dataset="another town with a tile of this name")


def test_what_cannot_be_told_is_said_once(tmp_path: Path) -> None:
    placed, unplaced = tile(tmp_path, "placed"), tile(tmp_path, "unplaced", pixel=0)
    partly = training_ground([placed, unplaced], "town", generated=False)
    assert (partly.unplaced, len(recorded_footprints(partly))) == (1, 1)
    far = tile(tmp_path, "far", east=10 * SIDE)
    trained = [Trained("town/a/seed0", None), Trained("town/b/seed0", partly)]
    (note,) = ground_notes("fine", trained, prepared_tiles([far, unplaced], "new", "test"))
    assert "the ground of that training is not known and tiles have no georeference" in note
    assert "town/a/seed0, which it began with, was or town/b/seed0, which it began with, was" in note
    (note,) = notes(None, far)
    assert note.endswith("could not be told, as the ground of that training is not known.")


def test_generated_tiles_lie_nowhere(tmp_path: Path) -> None:
    ground = training_ground([tile(tmp_path, "a")], "town", generated=True)
    assert (recorded_footprints(ground), ground.text) == ([], "generated, nowhere on Earth")
    assert notes(ground, tile(tmp_path, "b")) == []


def test_ground_and_that_of_the_runs_before_survive_the_file(tmp_path: Path) -> None:
    ground = training_ground([tile(tmp_path, "a", east=0.1)], "town", generated=False)
    first = StartRecord(kind="run", name="first", sha256="1", ground=ground)
    published = StartRecord(kind="published", name="weights", sha256="2")
    second = StartRecord(kind="run", name="second", sha256="3", start=first.model_copy(update={"start": published}))
    text = yaml.safe_dump(json.loads(second.model_dump_json()))
    assert StartRecord.model_validate(yaml.safe_load(text)) == second
    assert ancestors(second) == [Trained("second", None), Trained("first", ground)]
    west = tiny.WEST + 0.1
    assert f"a: {west!r} {tiny.NORTH - SIDE!r} {west + SIDE!r} {tiny.NORTH!r}" in text
    assert "ground" not in published.model_dump()

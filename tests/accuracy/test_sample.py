"""Check points that are drawn from a map: reproducible, random within their class, and complete files."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest

from mtlaerial.accuracy import class_map
from mtlaerial.accuracy.class_map import ClassMap
from mtlaerial.accuracy.drawing import draw_pixels
from mtlaerial.accuracy.sample import sample_points
from mtlaerial.errors import UserError
from support.class_maps import NAMES, patches, write_maps

SHAPE = (90, 70)


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    codes = patches(SHAPE, (0.6, 0.3, 0.08))
    codes[80:, 60:] = 255
    codes[codes == 3] = 0
    return write_maps(tmp_path / "maps", np.random.default_rng(0).permutation(codes))


def draw(maps: Path, out: Path, **options: object) -> gpd.GeoDataFrame:
    arguments = {"number": 60, "standard_error": None, "users": {}, "minimum": 10, "seed": 4, **options}
    sample_points(maps, out, **arguments)
    return gpd.read_file(out)


def test_points_lie_on_distinct_pixels_of_their_class(maps: Path, tmp_path: Path) -> None:
    table = draw(maps, tmp_path / "points.gpkg")
    described = ClassMap.of(maps)
    (_, codes), *_ = described.blocks("reading")
    columns, rows = ~described.grid.transform @ (table.geometry.x.to_numpy(), table.geometry.y.to_numpy())
    assert np.allclose(columns % 1, 0.5)
    assert [NAMES[code] for code in codes[rows.astype(int), columns.astype(int)]] == table["map_class"].tolist()
    assert len(set(zip(rows, columns, strict=True))) == len(table) == 60
    assert table["map_class"].value_counts()["tree"] == 10
    assert table["reference"].isna().all()
    assert table["reference_height"].isna().all()
    assert set(table["classes"]) == {"ground, building, tree"}
    # In random order, not class by class.
    assert set(table["map_class"][:20]) == set(NAMES)


def test_the_same_seed_gives_the_same_bytes_for_any_block_size(
    maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(maps, tmp_path / "first.gpkg")
    monkeypatch.setattr(class_map, "ROWS", 7)
    draw(maps, tmp_path / "second.gpkg")
    draw(maps, tmp_path / "third.gpkg", seed=5)
    contents = [(tmp_path / f"{name}.gpkg").read_bytes() for name in ("first", "second", "third")]
    assert contents[0] == contents[1] != contents[2]


def test_each_pixel_of_a_class_is_drawn_equally_often(tmp_path: Path) -> None:
    codes = np.array([[0, 1, 0, 1], [1, 1, 0, 0], [0, 0, 1, 0]])
    described = ClassMap.of(write_maps(tmp_path, codes))
    times = np.zeros(codes.shape)
    for seed in range(150):
        pixels = draw_pixels(described, described.count(), np.array([2, 3, 0]), seed)
        times[pixels.rows, pixels.columns] += 1
    # 300 draws of 7 pixels, 450 of 5; the deviations are those of draws without replacement.
    np.testing.assert_allclose(times[codes == 0], 300 / 7, atol=4 * np.sqrt(150 * (2 / 7) * (5 / 7)))
    np.testing.assert_allclose(times[codes == 1], 90, atol=4 * np.sqrt(150 * 0.6 * 0.4))


def test_blind_points_do_not_tell_the_mapped_class(maps: Path, tmp_path: Path) -> None:
    table = draw(maps, tmp_path / "blind.gpkg", blind=True)
    assert "map_class" not in table.columns
    seen = draw(maps, tmp_path / "seen.gpkg")
    assert table.geometry.tolist() == seen.geometry.tolist()


def test_a_standard_error_decides_the_number_of_points(maps: Path, tmp_path: Path) -> None:
    table = draw(maps, tmp_path / "points.gpkg", number=None, standard_error=0.05, users={"tree": 0.5}, minimum=2)
    counts = ClassMap.of(maps).count()
    shares, users = counts / counts.sum(), np.array([0.9, 0.9, 0.5])
    deviations = np.sqrt(users * (1 - users))
    # Eq. 13 without its correction for the size of the map.
    assert len(table) == pytest.approx(((shares * deviations).sum() / 0.05) ** 2, rel=0.05)


def test_rare_and_absent_classes_are_named(maps: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    codes = np.zeros((20, 20), dtype=int)
    codes[3, :4] = 1
    write_maps(maps, codes)
    table = draw(maps, tmp_path / "points.gpkg", number=30)
    assert table["map_class"].value_counts().to_dict() == {"ground": 26, "building": 4}
    assert "4 points of building, one on each of its pixels" in caplog.text
    assert "no points of tree, which no pixel is mapped as" in caplog.text


def test_bad_input_is_one_sentence_and_no_file(maps: Path, tmp_path: Path) -> None:
    out = tmp_path / "points.gpkg"
    geographic = write_maps(
        tmp_path / "degrees", np.zeros((20, 20)), crs="EPSG:4326", west=11.5, north=48.1, pixel=1e-5
    )
    bare = write_maps(tmp_path / "bare", np.zeros((20, 20)), names=())
    aim = {"number": None, "standard_error": 0.05}
    for folder, options, message in (
        (tmp_path / "none", {}, "semantics.tif: found no such folder; expected a map of classes"),
        (geographic, {}, "found EPSG:4326; expected a projected CRS.*--dst-crs EPSG:32632"),
        (bare, {}, "found no names of classes"),
        (maps, {"number": 25}, "--points: found 25; expected at least 30"),
        (maps, {"number": None}, "--points: found nothing"),
        (maps, {"standard_error": 0.01}, "--points: found 60 beside --standard-error; expected one of them"),
        (maps, {"users": {"tree": 0.5}}, "--expected: found expected accuracies beside --points 60"),
        (
            maps,
            {**aim, "users": {"tre": 0.5}},
            "--expected: found the class 'tre'; expected one of ground, building, tree",
        ),
        (maps, {**aim, "users": {"tree": 1.5}}, "--expected: found tree=1.5"),
    ):
        with pytest.raises(UserError, match=message):
            draw(folder, out, **options)
        assert not out.exists()
    with pytest.raises(UserError, match=r"points.csv: found the suffix .csv; expected .gpkg"):
        draw(maps, tmp_path / "points.csv")


def test_an_existing_file_is_replaced_only_if_asked(maps: Path, tmp_path: Path) -> None:
    draw(maps, tmp_path / "points.gpkg")
    labelled = (tmp_path / "points.gpkg").read_bytes()
    with pytest.raises(UserError, match="found a file; expected a place without one"):
        draw(maps, tmp_path / "points.gpkg", seed=5)
    assert (tmp_path / "points.gpkg").read_bytes() == labelled
    draw(maps, tmp_path / "points.gpkg", seed=5, replace=True)
    assert (tmp_path / "points.gpkg").read_bytes() != labelled

"""Common ground of splits, in one CRS and across CRSs."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from pyproj import Transformer

from mtlaerial.datasets.check import ImageFacts, TileReport, check_dataset, check_splits, summary
from mtlaerial.datasets.check.findings import Finding
from support.town import NORTH, SIZE, WEST, Town

UTM = ("EPSG:32632", 500_000.0, 5_400_000.0)
SIDE = 1000.0


@dataclass
class Square:
    """A tile of 1 km on the ground."""

    name: str
    split: str
    west: float = UTM[1]
    south: float = UTM[2]
    crs: str | None = UTM[0]
    side: float = SIDE
    placed: bool = True
    digest: str | None = None

    @property
    def report(self) -> TileReport:
        bounds = (self.west, self.south, self.west + self.side, self.south + self.side) if self.placed else None
        image = ImageFacts(size=(8, 8), crs=self.crs, bounds=bounds, dtype="uint8", bands=3, digest=self.digest)
        layers = {"image": image, "height": None, "labels": None, "eroded": None}
        return TileReport(
            dataset="d",
            tile=self.name,
            split=self.split,
            generated=False,
            findings=(),
            **layers,  # type: ignore[arg-type]  # text for a split
        )


def check(*squares: Square) -> tuple[Finding, ...]:
    return check_splits([square.report for square in squares])


@pytest.mark.parametrize("pair", [("train", "val"), ("train", "test"), ("val", "test")])
def test_common_ground_of_any_two_splits_is_found(pair: tuple[str, str]) -> None:
    first, second = pair
    (finding,) = check(Square("a", first), Square("b", second, west=UTM[1] + 900))
    assert finding.level == "error"
    assert finding.found == f"{first} tile a and {second} tile b with 10 % of the smaller in common"


@pytest.mark.parametrize(("metres", "levels"), [(20, ["error"]), (5, ["warning"]), (0.5, []), (0, [])])
def test_a_narrow_overlap_is_a_warning_and_rounding_is_nothing(metres: float, levels: list[str]) -> None:
    findings = check(Square("a", "train"), Square("b", "test", west=UTM[1] + SIDE - metres))
    assert [finding.level for finding in findings] == levels


def test_tiles_of_one_split_may_overlap() -> None:
    assert check(Square("a", "test"), Square("b", "test", west=UTM[1] + 100)) == ()


@pytest.mark.parametrize(
    ("first", "second", "lon", "lat"),
    [
        ("EPSG:32632", "EPSG:32633", 12.0, 48.0),
        ("EPSG:32632+5773", "EPSG:3857", 9.0, 48.0),
        ("EPSG:32601", "EPSG:32660", 179.99999, -17.0),  # across the antimeridian
        ("EPSG:32601", "EPSG:32660", -179.99, 60.0),
    ],
)
def test_the_same_ground_in_another_crs_is_found(first: str, second: str, lon: float, lat: float) -> None:
    def square(name: str, split: str, crs: str, side: float) -> Square:
        x, y = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(lon, lat)
        return Square(name, split, x - side / 2, y - side / 2, crs, side)

    (finding,) = check(square("a", "val", first, 1000), square("b", "test", second, 700))
    assert "val tile a and test tile b with" in finding.found
    assert finding.level == "error"
    # The smaller lies within the larger, wherever its sides point; in Web Mercator it is smaller still.
    assert float(finding.found.split("with ")[1].split(" %")[0]) == pytest.approx(100, abs=1e-3)


def test_the_share_of_an_overlap_across_zones_is_that_on_the_ground() -> None:
    """Compare with an overlap measured on the ellipsoid."""
    from pyproj import Geod
    from shapely import transform
    from shapely.geometry import box

    west, south = Transformer.from_crs(32632, 32633, always_xy=True).transform(719_000, 5_400_000)
    second = Square("b", "test", west + 600, south, "EPSG:32633")
    (finding,) = check(Square("a", "train", 719_000, 5_400_000), second)
    shapes = []
    for crs, (x, y) in ((32632, (719_000, 5_400_000)), (32633, (west + 600, south))):
        geographic = Transformer.from_crs(crs, 4326, always_xy=True).transform
        square = box(x, y, x + SIDE, y + SIDE).segmentize(10)
        shapes.append(transform(square, lambda points, project=geographic: np.column_stack(project(*points.T))))
    areas = [abs(Geod(ellps="WGS84").geometry_area_perimeter(s)[0]) for s in (*shapes, shapes[0] & shapes[1])]
    share = float(finding.found.split("with ")[1].split(" %")[0])
    assert share == pytest.approx(100 * areas[2] / min(areas[:2]), abs=0.1)


@pytest.mark.parametrize(
    "strange",
    [
        {"placed": False, "crs": None},
        {"crs": None},
        {"crs": 'LOCAL_CS["site",UNIT["metre",1]]'},
    ],
    ids=["no georeference", "no CRS", "local CRS"],
)
def test_ground_that_cannot_be_compared_is_said(strange: dict[str, object]) -> None:
    strangers = [Square(f"s{index}", "test", **strange) for index in range(7)]  # type: ignore[arg-type]  # of fields
    (finding,) = check(Square("a", "train"), *strangers)
    assert finding.level == "warning"
    for words in ("test tile s0", "test tile s4, 2 more", "overlaps with other splits cannot be told"):
        assert words in finding.found
    assert check(*strangers) == ()


def test_tiles_without_crs_are_compared_among_themselves() -> None:
    (finding,) = check(Square("a", "train", crs=None), Square("b", "test", west=UTM[1] + 500, crs=None))
    assert "50 % of the smaller" in finding.found


def test_equal_images_of_three_splits_are_found() -> None:
    squares = [Square(split, split, placed=False, digest="0") for split in ("train", "val", "test")]
    overlaps = [finding.found for finding in check(*squares) if finding.level == "error"]
    assert overlaps == [
        "train tile train and val tile val with the same image",
        "train tile train and test tile test with the same image",
    ]


def test_time_grows_with_the_tiles_not_with_their_square() -> None:
    number = 60
    rows, columns = np.divmod(np.arange(number**2), number)
    split = np.where(columns < number // 2, "train", "test")
    places = zip(rows.tolist(), columns.tolist(), split.tolist(), strict=True)
    reports = [Square(f"{r} {c}", s, UTM[1] + c * SIDE * 0.99, r * SIDE).report for r, c, s in places]
    begin = time.process_time()
    findings = check_splits(reports)
    assert time.process_time() - begin < 2
    assert len(findings) == number


def test_common_ground_of_areas_and_classes_of_one_area_are_found(town: Town) -> None:
    town.spec = {**town.spec, "splits": {}, "areas": {"east": ["b"], "west": ["a"]}}
    assert check_dataset(town.dataset).findings == ()
    town.write("image", "b", town.image(), west=WEST + 24)
    town.write("labels", "b", np.zeros((64, 64), np.uint8), west=WEST + 24)
    findings = check_dataset(town.dataset).splits
    assert [finding.level for finding in findings] == ["error", "warning", "warning"]
    assert "east tile b and west tile a with 25 %" in findings[0].found
    assert "pixels of house" in findings[1].found
    assert "in west alone" in findings[1].found
    row = next(line for line in summary(check_dataset(town.dataset)).splitlines() if line.startswith("a "))
    assert row.split()[1] == "west"


def test_a_reversed_raster_has_its_own_error_and_no_warning_of_a_missing_place(tmp_path: Path) -> None:
    town = Town(tmp_path)
    town.write("image", "a", town.image(), transform=Affine(0.5, 0, WEST, 0, 0.5, NORTH - SIZE / 2))
    for buffer in (0.0, 5.0):
        town.change(buffer=buffer)
        report = check_dataset(town.dataset)
        (finding,) = report.findings
        assert "rows (from the south) in reverse" in finding.found


def test_a_tile_without_georeference_has_a_warning_still(tmp_path: Path) -> None:
    town = Town(tmp_path)
    town.write("image", "a", town.image(), transform=Affine.identity(), crs=None)
    assert any(
        "no place on the earth for train tile a" in entry.found for entry in check_dataset(town.dataset).findings
    )

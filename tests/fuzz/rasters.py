"""Rasters for ``mtlaerial check`` and ``mtlaerial predict``: damaged ones, bombs, and ones that point elsewhere."""

import random
import shutil
import struct
import warnings
from collections.abc import Sequence
from pathlib import Path

import rasterio
from affine import Affine

from mtlaerial.config import PredictionSpec
from mtlaerial.errors import DataError, UserError
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.rasters.formats import FORMATS
from support import doors
from support.bad_rasters import virtual
from support.fuzz_mutations import mutated
from support.fuzzing import Target
from support.small_runs import imported_run
from support.town import NORTH, SIZE, WEST, Town

DRIVERS = {".jp2": "JP2OpenJPEG", ".img": "HFA", ".png": "PNG", ".jpg": "JPEG"}
PLACED = {"crs": "EPSG:32632", "transform": Affine(0.5, 0, WEST, 0, -0.5, NORTH)}
TIFFS = (
    {"tiled": True, "blockxsize": 32, "blockysize": 32, "compress": "deflate", "predictor": 2},
    {"interleave": "pixel", "compress": "lzw"},
    {"interleave": "band"},
    {"tiled": True, "blockxsize": 32, "blockysize": 32, "compress": "jpeg", "photometric": "ycbcr"},
    {"compress": "zstd", "bigtiff": "yes"},
    {"nodata": 0, "compress": "packbits"},
)
BESIDE = b"BESIDE "
"""Before the ending and the content of a file that lies beside a valid image."""
TARGETS = (
    "/etc/passwd",
    "plain.tif",
    "a.tif",
    "/vsicurl/http://127.0.0.1:1/a.tif",
    "WMS:http://127.0.0.1:1/",
    "/dev/zero",
)


class Fuzzed(Target):
    """Check of a town whose image the file is, and maps of it by the smallest network."""

    suffix = ".raster"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (folder / "town").mkdir(exist_ok=True)
        self.town = Town(folder / "town")
        self.town.change(height=None)
        self.images = self.town.root / "image"
        self.image = self.town.image()
        self.labels = {placed: self._labels(placed) for placed in (True, False)}
        self.plain = self._encoded(".tif", {**PLACED, **TIFFS[0]})
        self.predictor = Predictor(imported_run(folder), PredictionSpec.fitted())
        self.valid = self._valid()

    def seeds(self) -> Sequence[bytes]:
        return self.valid

    def read(self, path: Path) -> None:
        data = path.read_bytes()
        shutil.rmtree(self.images)
        self.images.mkdir()
        (self.images / "plain.tif").write_bytes(self.plain)
        image = self._place(data)
        self.town.change(image={"files": f"image/{image.name}".replace("a.", "{tile}.")})
        placed = image.suffix not in (".png", ".jpg")
        (self.town.root / "labels" / "a.tif").write_bytes(self.labels[placed])
        gsd = None if placed else 0.5
        try:
            self.predictor.predict_image(image, self.folder / "maps", gsd=gsd, replace=True)
        finally:
            report = self.town.check()
        for finding in report.findings:
            if finding.level == "error":
                raise DataError(finding.where, finding.found, finding.expected, finding.remedy)

    def structured(self, rng: random.Random) -> bytes:
        make = rng.choice([self._tags, self._tags, self._vrt, self._vrt, self._beside, self._bomb, _grid])
        return make(rng)

    def _place(self, data: bytes) -> Path:
        """Write a file under a name of its kind, or something beside a valid image; return the image."""
        if data.startswith(BESIDE):
            ending, _, content = data.removeprefix(BESIDE).partition(b"\n")
            name = ending.decode("ascii", "replace").replace("/", "").replace("\0", "").replace("\x85", "")
            image = self.images / "a.tif"
            image.write_bytes(self.plain)
            (self.images / f"a.tif{name[:20]}").write_bytes(content)
            return image
        kinds = [kind.suffixes[0] for kind in FORMATS if kind.content.match(data)]
        misnamed = len(data) % 7 == 0
        image = self.images / f"a{'.tif' if misnamed or not kinds else kinds[0]}"
        image.write_bytes(data)
        return image

    def _labels(self, placed: bool) -> bytes:
        write = self.town.write if placed else self.town.bare
        return write("labels", "a", self.town.labels()).read_bytes()

    def _valid(self) -> list[bytes]:
        tiffs = [self._encoded(".tif", {**PLACED, **layout}) for layout in TIFFS]
        others = [self._encoded(ending, PLACED if ending in (".jp2", ".img") else {}) for ending in DRIVERS]
        seeds = [*tiffs, *others, virtual("plain.tif", "Byte", "Byte", "Byte").encode()]
        seeds += [BESIDE + b".aux.xml\n<PAMDataset><Metadata><MDI key='a'>1</MDI></Metadata></PAMDataset>"]
        # Where the length says that a file is misnamed, it is made longer: readers ignore what follows.
        return [seed + b"\n" * (len(seed) % 7 == 0) for seed in seeds]

    def _encoded(self, ending: str, profile: dict[str, object]) -> bytes:
        path = self.folder / f"encoded{ending}"
        options = {"driver": DRIVERS.get(ending, "GTiff"), "dtype": "uint8", "count": 3, **profile}
        with (
            warnings.catch_warnings(action="ignore"),
            rasterio.open(path, "w", height=SIZE, width=SIZE, **options) as target,
        ):
            target.write(self.image)
        data = path.read_bytes()
        for file in self.folder.glob(f"encoded{ending}*"):
            file.unlink()
        return data

    def _tags(self, rng: random.Random) -> bytes:
        """Return a GeoTIFF with a changed entry in its directory."""
        data = bytearray(self.plain)
        (first,) = struct.unpack_from("<I", data, 4)
        (count,) = struct.unpack_from("<H", data, first)
        for _ in range(rng.choice((1, 1, 3))):
            entry = first + 2 + 12 * rng.randrange(count)
            field, kind = rng.choice(((0, "<H"), (2, "<H"), (4, "<I"), (8, "<I"), (8, "<H")))
            values = (0, 1, 2, 3, 7, 64, 257, 32773, 65535, 65536, 2**20, 2**31 - 1, 2**32 - 1, rng.randrange(400))
            struct.pack_into(kind, data, entry + field, rng.choice(values) % 2 ** (8 * struct.calcsize(kind)))
        return bytes(data)

    def _vrt(self, rng: random.Random) -> bytes:
        if rng.random() < 0.5:
            return mutated(rng, [self.valid[-2]])
        name = rng.choice(TARGETS)
        source = doors.source(name, relative=rng.choice((0, 1)))
        raw = doors.RAW.format(name=name)
        size = rng.choice((1, 16, 64, 70_000, 1_000_000, 2**31 - 1))
        band, kind = rng.choice(((source, ""), (raw, "VRTRawRasterBand"), (source, "VRTDerivedRasterBand")))
        before = rng.choice(("", "<SRS>http://127.0.0.1:1/crs</SRS>", "<OverviewList>2 4</OverviewList>", "<A/>" * 999))
        return doors.vrt(band, size, kind, before).encode()

    def _beside(self, rng: random.Random) -> bytes:
        endings = (b".msk", b".ovr", b".MSK", b".Ovr", b".aux.xml", b".aux", b".msk.ovr", b".prj", b".xml")
        overview = f'<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">{rng.choice(TARGETS)}</MDI>'
        contents = [
            self.plain,
            mutated(rng, [self.plain]),
            doors.vrt(doors.source(rng.choice(TARGETS))).encode(),
            f"{overview}</Metadata></PAMDataset>".encode(),
            b"<GDAL_WMS><Service name='TMS'><ServerUrl>http://127.0.0.1:1/</ServerUrl></Service></GDAL_WMS>",
            b"EHFA_HEADER_TAG" + rng.randbytes(200),
            b"",
        ]
        return BESIDE + rng.choice(endings) + b"\n" + rng.choice(contents)

    def _bomb(self, rng: random.Random) -> bytes:
        """Return a GeoTIFF that declares far more than it stores."""
        side = rng.choice((3_000, 20_000, 200_000, 1_000_000))
        block = rng.choice((256, 4_096, 65_536))
        while (side / block) ** 2 > 1_000_000:
            block *= 4
        layout = {"tiled": True, "blockxsize": block, "blockysize": block, "interleave": rng.choice(("pixel", "band"))}
        bands = rng.choice((1, 3, 40, 2_000)) if side < 10_000 else 3
        path = self.folder / "bomb.tif"
        profile = {"driver": "GTiff", "dtype": rng.choice(("uint8", "float64")), "sparse_ok": True, **PLACED, **layout}
        try:
            with warnings.catch_warnings(action="ignore"):
                rasterio.open(path, "w", height=side, width=side, count=bands, compress="deflate", **profile).close()
        except (rasterio.errors.RasterioError, UserError):  # a block that GDAL does not write
            return self.plain
        return path.read_bytes()


def _grid(rng: random.Random) -> bytes:
    """Return an ASCII grid with an odd header."""
    sizes = (0, 1, 2, 64, 10**6, 2**31 - 1, 2**31, 10**30, -1)
    header = f"ncols {rng.choice(sizes)}\nnrows {rng.choice(sizes)}\nxllcorner 0\nyllcorner 0\ncellsize 1\n"
    return (header + "1 2\n3 nan\n" * rng.choice((0, 1, 1000))).encode()

"""Images that a run refuses, and the command in a refusal."""

import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.enums import ColorInterp

from support import tiny

TURNED = Affine.translation(5e5, 5e6) @ Affine.rotation(20) @ Affine.scale(0.5, -0.5)
REFUSED: dict[str, dict[str, Any]] = {
    "GSD": {"pixel": 0.25},
    "degrees": {"crs": "EPSG:4326", "transform": Affine(6e-6, 0, 3.0, 0, -4.5e-6, 45.1)},
    "Web Mercator": {"crs": "EPSG:3857", "west": 1e6, "north": 8.4e6},
    "rotated": {"transform": TURNED},
    "south up": {"transform": Affine(0.5, 0, 5e5, 0, 0.5, 5e6)},
    "uint16": {"factor": 16, "dtype": "uint16"},
    "reflectances": {"factor": 1 / 255, "dtype": "float32"},
    "bands in another order": {"colours": (ColorInterp.blue, ColorInterp.green, ColorInterp.red)},
    "near infrared first": {"bands": 5, "numbers": "1,2,9"},
    "colour table": {"bands": 1, "palette": True},
}


def write_refused(path: Path, how: dict[str, Any]) -> Path:
    """Write an image with a fault to a path that a shell would divide."""
    profile = dict(how)
    bands, factor, dtype = profile.pop("bands", 3), profile.pop("factor", 1), profile.pop("dtype", "uint8")
    colours, palette, _ = profile.pop("colours", ()), profile.pop("palette", False), profile.pop("numbers", "")
    rows, columns = np.mgrid[:64, :64]
    array = np.stack([60 + rows * 2 + columns + 10 * band for band in range(bands)]) % 250 + 3
    tiny.write_raster(path, (array * factor).astype(dtype), **profile)
    with rasterio.open(path, "r+") as target:
        if colours:
            target.colorinterp = colours
        if palette:
            target.write_colormap(1, {value: (value, 255 - value, value // 2) for value in range(256)})
    return path


def printed(output: str, program: str) -> list[str]:
    """Return the words of a command in an error message."""
    match = re.search(rf"{program} .*?(?=\. Or |\.?\n| if these|, or correct)", output)
    assert match, output
    return shlex.split(match.group())

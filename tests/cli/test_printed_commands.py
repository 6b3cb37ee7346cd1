"""The commands that a refusal prints work as they are printed, in a shell without tools of GDAL."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from click.testing import CliRunner
from rasterio.enums import ColorInterp
from rasterio.rio.main import main_group

from support import tiny

pytestmark = pytest.mark.full("predicts with each of twenty commands")
Program = Callable[..., tuple[int, str]]
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


def write(path: Path, how: dict[str, Any]) -> Path:
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


@pytest.mark.parametrize("fault", REFUSED)
def test_the_command_that_predict_prints_for_itself_works(
    fault: str, tmp_path: Path, run: Path, program: Program
) -> None:
    path, out = write(tmp_path / "my ortho.tif", REFUSED[fault]), tmp_path / "my maps"
    numbers = ("--bands", REFUSED[fault]["numbers"]) if "numbers" in REFUSED[fault] else ()
    code, output = program("predict", run, path, "--out", out, *numbers)
    assert code == 1
    if fault == "colour table":  # which rio expands
        assert CliRunner().invoke(main_group, printed(output, "rio convert")[1:]).exit_code == 0
        arguments = ["predict", str(run), str(tmp_path / "my ortho_new.tif"), "--out", str(out)]
    else:
        arguments = printed(output, "mtlaerial predict")[1:]
        assert arguments[:5] == ["predict", str(run), str(path), "--out", str(out)]
    code, output = program(*arguments)
    assert code == 0, output
    with rasterio.open(out / "height.tif") as heights:
        assert (heights.read(1) != heights.nodata).any()


@pytest.mark.parametrize("fault", ["GSD", "degrees", "rotated", "south up", "uint16", "reflectances"])
def test_the_command_that_mends_the_file_works(fault: str, tmp_path: Path, run: Path, program: Program) -> None:
    path, out = write(tmp_path / "my ortho.tif", REFUSED[fault]), tmp_path / "my maps"
    _, output = program("predict", run, path, "--out", out)
    command = printed(output, r"(?<!mtlaerial )rio (?:warp|convert)")
    outcome = CliRunner().invoke(main_group, command[1:])
    assert outcome.exit_code == 0, outcome.output
    assert program("predict", run, tmp_path / "my ortho_new.tif", "--out", out)[0] == 0


def test_an_image_with_several_faults_is_mended_step_by_step(tmp_path: Path, run: Path, program: Program) -> None:
    how = {"pixel": 0.25, "factor": 16, "dtype": "uint16", "bands": 4, "numbers": "1,2,9"}
    arguments = ["predict", str(run), str(write(tmp_path / "a.tif", how)), "--out", str(tmp_path / "maps")]
    arguments += ["--bands", "1,2,9"]
    steps = 0
    while (outcome := program(*arguments))[0]:
        arguments, steps = printed(outcome[1], "mtlaerial predict")[1:], steps + 1
        assert steps < 5, outcome[1]
    assert steps == 3
    assert {"--bands", "--resample", "--range"} <= set(arguments)

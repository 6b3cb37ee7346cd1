"""The commands that a refusal prints work as they are printed, in a shell without tools of GDAL."""

from collections.abc import Callable
from pathlib import Path

import pytest
import rasterio
from click.testing import CliRunner
from rasterio.rio.main import main_group

from support.refused_images import REFUSED, printed, write_refused

pytestmark = pytest.mark.full("predicts with each of twenty commands")
Program = Callable[..., tuple[int, str]]


@pytest.mark.parametrize("fault", REFUSED)
def test_the_command_that_predict_prints_for_itself_works(
    fault: str, tmp_path: Path, run: Path, program: Program
) -> None:
    path, out = write_refused(tmp_path / "my ortho.tif", REFUSED[fault]), tmp_path / "my maps"
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
    path, out = write_refused(tmp_path / "my ortho.tif", REFUSED[fault]), tmp_path / "my maps"
    _, output = program("predict", run, path, "--out", out)
    command = printed(output, r"(?<!mtlaerial )rio (?:warp|convert)")
    outcome = CliRunner().invoke(main_group, command[1:])
    assert outcome.exit_code == 0, outcome.output
    assert program("predict", run, tmp_path / "my ortho_new.tif", "--out", out)[0] == 0


def test_an_image_with_several_faults_is_mended_step_by_step(tmp_path: Path, run: Path, program: Program) -> None:
    how = {"pixel": 0.25, "factor": 16, "dtype": "uint16", "bands": 4, "numbers": "1,2,9"}
    arguments = ["predict", str(run), str(write_refused(tmp_path / "a.tif", how)), "--out", str(tmp_path / "maps")]
    arguments += ["--bands", "1,2,9"]
    steps = 0
    while (outcome := program(*arguments))[0]:
        arguments, steps = printed(outcome[1], "mtlaerial predict")[1:], steps + 1
        assert steps < 5, outcome[1]
    assert steps == 3
    assert {"--bands", "--resample", "--range"} <= set(arguments)

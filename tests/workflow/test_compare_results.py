"""compare_results.py: versions of software are no difference, and every kind of difference is reported."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from compare_results import difference, main
from PIL import Image
from safetensors.torch import save_file

from support import tiny


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".json":
        path.write_text(json.dumps(content))
    elif path.suffix == ".safetensors":
        version, value = content
        save_file({"weight": torch.tensor([value])}, path, {"made": json.dumps({"code": version})})
    elif path.suffix == ".tif":
        version, value = content
        tiny.write_raster(path, np.full((4, 4), value, np.uint8))
        tag(path, version)
    elif path.suffix == ".png":
        Image.fromarray(np.full((4, 4), content, np.uint8)).save(path)
    else:
        path.write_text(str(content))


def tag(path: Path, version: str) -> None:
    import rasterio

    with rasterio.open(path, "r+") as file:
        file.update_tags(MTLAERIAL=version)


@pytest.mark.parametrize(
    ("name", "content", "same", "different"),
    [
        ("scores.json", {"OA": 1, "code": "a"}, {"OA": 1, "code": "b"}, {"OA": 2, "code": "a"}),
        ("model.safetensors", ("a", 1.0), ("b", 1.0), ("a", 2.0)),
        ("height.tif", ("1", 3), ("2", 3), ("1", 4)),
        ("curves.png", 3, 3, 4),
        ("city.csv", "a,1", "a,1", "a,2"),
    ],
)
def test_software_does_not_count_and_content_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: Any, same: Any, different: Any
) -> None:
    for folder, value in (("first", content), ("same", same), ("other", different)):
        write(tmp_path / folder / name, value)
    assert not difference(tmp_path / "first" / name, tmp_path / "same" / name)
    assert main([str(tmp_path / "first"), str(tmp_path / "same")]) == 0
    assert main([str(tmp_path / "first"), str(tmp_path / "other")]) == 1
    assert f"{name}: " in capsys.readouterr().out


def test_a_file_that_one_folder_lacks_is_a_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "first" / "a.csv", 1)
    write(tmp_path / "first" / "logs" / "a.log", 1)
    write(tmp_path / "second" / "b.csv", 1)
    assert main([str(tmp_path / "first"), str(tmp_path / "second")]) == 1
    assert capsys.readouterr().out.count("not in") == 2


def test_folders_without_results_are_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nothing"), str(tmp_path)]) == 2
    assert "found no results" in capsys.readouterr().err

"""Tasks of other packages: registered by an entry point, refused in one sentence where they are wrong."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import mse_loss

from mtlaerial.config import Augmentation, PredictionSpec, task_entry
from mtlaerial.config.method import MethodSpec
from mtlaerial.config.tasks import leading_task, leads
from mtlaerial.errors import ConfigError
from mtlaerial.models.height_heads import LinearHead
from mtlaerial.models.normalisation import Normalisation
from mtlaerial.prediction.blending.targets import Finished
from mtlaerial.prediction.blending.windows import original
from mtlaerial.prediction.map_meters import MapMeters
from mtlaerial.prediction.map_network import MapNetwork
from mtlaerial.reporting.tables import write_tables
from mtlaerial.sampling import Batch, PatchSampler
from mtlaerial.scoring.checkerboard import checkerboard_ratios, load_spectra
from mtlaerial.scoring.tile_scores import TileScores
from mtlaerial.tasks import HEIGHT, SEMANTICS, MapLayer
from mtlaerial.tiles.derived_truth import tile_truth
from mtlaerial.tiles.tile import load_tiles
from mtlaerial.training.losses import TaskLosses
from support import tiny
from support.checkerboards import grid, ratios, roofs
from support.sample_scores import experiment
from support.task_package import COVER, documented_entry_points, documented_modules, installed
from support.tiny import Folders


@pytest.fixture
def ndsm(tmp_path: Path) -> Iterator[str]:
    """Install the documentation's examples as a package; return the name that the first one registers."""
    with installed(tmp_path, documented_modules(), *documented_entry_points()):
        yield "ndsm"


def method(*tasks: str) -> MethodSpec:
    return MethodSpec.parse({"tasks": list(tasks), "model": "net"}, "methods.three")


def test_a_task_is_known_while_its_package_is_installed(ndsm: str) -> None:
    assert method("semantics", "height", ndsm).tasks == ("semantics", "height", ndsm)
    with pytest.raises(ConfigError, match=r"tasks\.0: found 'ndms'; expected one of .*\. Did you mean ndsm\?"):
        method("ndms")
    assert leading_task("heights") == "height"
    assert not leads(ndsm)


def test_a_task_without_its_package_is_refused_with_the_way_out() -> None:
    expected = "found 'ndsm'; expected one of edges, height, semantics. Install the package that registers it"
    with pytest.raises(ConfigError, match=expected):
        method("height", "ndsm")


def test_its_loss_is_that_of_its_package_and_others_are_unchanged(ndsm: str) -> None:
    height = torch.rand(2, 8, 8) * 20
    height[0, :3] = torch.nan
    batch = Batch(torch.zeros(2, 3, 8, 8), height, torch.zeros(2, 8, 8, dtype=torch.uint8))
    output = torch.randn(2, 1, 8, 8)
    losses = TaskLosses(tiny.training_spec(height_unit=5), torch.ones(4), True, ("height", ndsm))
    by_task = losses({"height": output, ndsm: output}, batch)
    valid = height.isfinite()
    difference = output[:, 0][valid] - height[valid] / 5
    torch.testing.assert_close(by_task[ndsm], mse_loss(output[:, 0][valid], height[valid] / 5))
    torch.testing.assert_close(by_task["height"], difference.abs().mean())


def test_its_truth_is_what_its_function_makes_of_the_heights(ndsm: str, tiles: Folders) -> None:
    (tile,) = load_tiles(tiles["val"], torch.device("cpu"), 100)
    heights, row, column = tile.height[..., 0].numpy(), 20, 30
    truth = tile_truth(task_entry("relief"), tile)
    around = heights[row - 5 : row + 6, column - 5 : column + 6]  # 5 m are five cells
    assert truth[row, column] == pytest.approx(heights[row, column] - np.nanmin(around))
    drawn = PatchSampler([tile], 32, Augmentation(), tasks=["relief"]).draw(4, torch.Generator().manual_seed(0))
    losses = TaskLosses(tiny.training_spec(height_unit=1), torch.ones(4), True, ("relief",))
    loss = losses({"relief": torch.zeros(4, 1, 32, 32)}, drawn)["relief"]
    torch.testing.assert_close(loss, drawn.derived["relief"].nanmean())


def test_a_head_that_its_loss_does_not_know_is_refused(ndsm: str) -> None:
    bins = tiny.training_spec(height_head="bins", height_loss="likelihood")
    with pytest.raises(ConfigError, match="height_head: found bins for SquaredError, which has an error of its own"):
        TaskLosses(bins, torch.ones(4), True, (ndsm,))
    logarithm = TaskLosses(tiny.training_spec(height_head="log1p", height_unit=1), torch.ones(4), True, (ndsm,))
    batch = Batch(torch.zeros(1, 3, 2, 2), torch.full((1, 2, 2), 9.0), torch.zeros(1, 2, 2, dtype=torch.uint8))
    loss = logarithm({ndsm: torch.ones(1, 1, 2, 2)}, batch)[ndsm]
    assert loss.item() == pytest.approx((np.log(10) - 1) ** 2)


def test_its_maps_are_in_its_unit(ndsm: str) -> None:
    outputs = {"height": torch.ones(1, 1, 32, 32), ndsm: torch.full((1, 1, 32, 32), 2.0)}
    network = MapNetwork(
        lambda image: [outputs], Normalisation(0, 255), PredictionSpec(), {"height": 1, ndsm: 1}, LinearHead(5)
    )
    values = network(torch.zeros(1, 3, 32, 32))[0]
    assert values[network.slice_of("height")].unique().tolist() == [5.0]
    np.testing.assert_allclose(values[network.slice_of(ndsm)].unique(), [1000.0])  # 10 m in centimetres


def test_each_task_of_heights_has_a_checkerboard_ratio(ndsm: str, tmp_path: Path) -> None:
    surfaces = roofs(384)
    values = torch.stack([surfaces, 100 * (surfaces + grid(384, 4, 0.3))]).float()  # metres, and centimetres
    axis = original(384, 384)(384)
    meters = MapMeters(axis, axis, {"height": slice(0, 1), ndsm: slice(1, 2)})
    meters(Finished(values, 0, 0, (0, 384), (0, 384)))
    meters.save(tmp_path)
    spectra = {task: load_spectra(tmp_path, task) for task in ("height", ndsm)}
    assert max(checkerboard_ratios([spectra["height"]]).values()) < 2
    expected = ratios(surfaces + grid(384, 4, 0.3))
    assert checkerboard_ratios([spectra[ndsm]]) == pytest.approx(expected, rel=1e-3)
    assert any(line.startswith(f"ndsm: power at 4 px is {expected[4]:.1f}") for line in meters.findings())
    run = experiment()[-1]
    tile = TileScores(checkerboard=spectra["height"], further={ndsm: TileScores(checkerboard=spectra[ndsm])})
    scored = run.model_copy(update={"tasks": (*run.tasks, ndsm), "tiles": dict.fromkeys(run.tiles, tile)})
    write_tables([scored], tmp_path / "tables")
    text = (tmp_path / "tables" / "everything.md").read_text(encoding="utf-8")
    assert re.search(rf"\| ndsm: checkerboard ratio at 4 px +\| +joint +\| +{expected[4]:.2f} ", text)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"truth": "labels"}, "labels, values, linear; expected height, values, linear, as metrics of heights need"),
        ({"metrics": "edges"}, "found the metrics 'edges'; expected one of classes, heights"),
        ({"maps": ()}, "found maps that show nothing; expected first one that shows mean"),
        ({"maps": (MapLayer("roof", "classes", ""),)}, "found maps that show classes; expected first one"),
        ({"unit": None}, "found the unit None; expected a unit of values"),
        ({"name": "roof height"}, "found the name 'roof height'; expected letters"),
    ],
)
def test_an_entry_whose_parts_do_not_fit_together_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        replace(HEIGHT, **changes)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise RuntimeError('no licence')", "task roof: found RuntimeError: no licence; expected an object at"),
        ("ROOF = 3", "task roof: found 3; expected a TaskEntry named roof at broken_task:ROOF"),
        ("from mtlaerial.tasks import HEIGHT as ROOF", "task roof: found a task named height; expected a TaskEntry"),
    ],
)
def test_a_broken_package_is_named(code: str, words: str, tmp_path: Path) -> None:
    with installed(tmp_path, {"broken_task": code}, "roof = broken_task:ROOF"):
        with pytest.raises(ConfigError, match=words):
            task_entry("roof")
        with pytest.raises(ConfigError, match=r"tasks\.0: found"):
            method("roof")


def test_tasks_that_would_write_the_same_file_are_refused(tmp_path: Path) -> None:
    code = COVER.replace('MapLayer("cover"', 'MapLayer("semantics"')
    with installed(tmp_path, {"cover_task": code}, "cover = cover_task:COVER"):
        assert method("cover").tasks == ("cover",)
        with pytest.raises(ConfigError, match=r"maps of different names, and not semantics\.tif of both"):
            method("semantics", "cover")


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (
            "entropy",
            "task semantics, its loss: found 'entropy' .*; expected one of class_error, cross_entropy, height_error",
        ),
        ("absent_package:Loss", "ModuleNotFoundError: No module named 'absent_package'"),
        ("math:pi", "found 'math:pi', which is 3.14"),
    ],
)
def test_an_unknown_loss_is_refused(loss: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = replace(SEMANTICS, loss=loss)
    monkeypatch.setattr("mtlaerial.training.losses.task_entry", lambda task: entry)
    with pytest.raises(ConfigError, match=words):
        TaskLosses(tiny.training_spec(), torch.ones(4), True, ("semantics",))

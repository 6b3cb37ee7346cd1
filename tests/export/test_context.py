"""Exported networks with a context see nothing around their image, and say so."""

import logging
from pathlib import Path

import pytest
import torch

from mtlaerial.config import PredictionSpec
from mtlaerial.export import export_run
from mtlaerial.models.context import lone_surroundings
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.tiles.statistics import Statistics
from support import networks
from support.small_runs import drawn_run


@pytest.mark.full("torch's exporter")
def test_an_exported_network_sees_nothing_around_its_image(
    statistics: Statistics, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plan = networks.plan("context").model_copy(update={"prediction": PredictionSpec.fitted()})
    run = drawn_run(tmp_path / "run", plan, statistics)
    with caplog.at_level(logging.WARNING):
        exported = torch.export.load(export_run(run, "pt2")).module()
    assert "the exported one sees no further than the image" in caplog.text
    network = Predictor(run, PredictionSpec.fitted()).network
    for rows, columns in ((64, 96), (160, 128)):
        image = torch.randint(0, 256, (2, 3, rows, columns), generator=torch.Generator().manual_seed(rows)).float()
        alone = torch.cat([image, 127.5 * (lone_surroundings(image / 127.5 - 1, 4) + 1)], dim=1)
        for task, output in exported(image).items():
            expected = network(alone)[:, network.slice_of(task)]
            torch.testing.assert_close(output.detach(), expected, rtol=1e-3, atol=1e-4)

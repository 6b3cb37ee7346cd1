"""Viewer of a training on the dashboard: progress, curves, and predictions of sample patches."""

import html
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch

from mtlaerial.config.dashboard import DashboardSpec
from mtlaerial.dashboard.client import Client, Window, text_window
from mtlaerial.dashboard.curves import Curves, panels
from mtlaerial.dashboard.picture import draw, picture_window
from mtlaerial.dashboard.samples import Maps, Patch, choose, predict
from mtlaerial.dashboard.sender import Sender
from mtlaerial.figures.style import named
from mtlaerial.prediction.map_network import MapNetwork
from mtlaerial.runs.history_columns import SCORE
from mtlaerial.tiles.tile import load_tiles
from mtlaerial.training.early_stopping import is_exhausted
from mtlaerial.training.job import TrainingJob

log = logging.getLogger(__name__)
CPU = torch.device("cpu")


class Viewer:
    """Watcher that shows one training. It draws no random numbers, never raises, and never waits for a server.

    Parameters
    ----------
    spec : DashboardSpec
    job : TrainingJob
        The training. Patches of its validation tiles are shown after each epoch, or of its training tiles where the
        former have no truth.
    """

    def __init__(self, spec: DashboardSpec, job: TrainingJob) -> None:
        plan = job.plan
        self.plan, self.statistics = plan, job.statistics
        self.patches, self.split = _patches(spec.samples, job) if spec.samples else ([], "")
        self.curves, self.panels = Curves(), panels(plan.training, plan.tasks, validated=bool(job.validation_tiles))
        self.scores: dict[float, float] = {}
        self.sender = Sender(Client(spec.url, f"{plan.dataset}_{plan.method}_seed{plan.seed}"), spec.seconds)

    def add(self, row: Mapping[str, Any]) -> None:
        """Show a row of the history, or new columns of the last one."""
        self.curves.add(row)
        if SCORE in row:
            self.scores[row["epoch"]] = row[SCORE]
        self.sender.put("training", partial(self._text, dict(row)))
        for name, panel in self.panels.items():
            self.sender.put(name, partial(self.curves.plot, panel))

    def look(self, network: Callable[[], MapNetwork], device: torch.device, epoch: int) -> None:
        """Show the patches' predictions after an epoch, by the network in evaluation mode."""
        if not self.patches:
            return
        try:
            maps = predict(network(), self.patches, device)
        except Exception as error:  # probably out of memory: the training can do without patches
            self.patches = ()
            log.warning("dashboard: no more patches (%s: %s)", type(error).__name__, error)
        else:
            self.sender.put("patches", partial(self._picture, self.patches, maps, epoch))

    def close(self) -> None:
        """Show the end of the training, if the server takes it within seconds."""
        self.sender.close()

    def _picture(self, patches: Sequence[Patch], maps: Sequence[Maps], epoch: int) -> Window:
        heading = f"patches of {self.split} tiles after epoch {epoch}"
        return picture_window(draw(patches, maps, self.statistics, heading), "patches")

    def _text(self, row: Mapping[str, Any]) -> Window:
        plan, spec = self.plan, self.plan.training
        lines = [
            f"<h4>{html.escape(named(self.statistics.title, self.statistics.generated))}</h4>",
            f"<b>{html.escape(plan.method)}</b>, weighting {html.escape(plan.weighting.name)}, seed {plan.seed}",
            f"epoch {row['epoch']:.2f} of {spec.epochs}, step {row['step']:,} of {spec.steps:,}",
            f'<progress style="width: 100%" max="{spec.steps}" value="{row["step"]}"></progress>',
            self.curves.scores(self.panels.values()),
            self._early_end(row["epoch"]),
        ]
        return text_window("training", f'<div style="padding: 0 12px"><p>{"</p><p>".join(lines)}</p></div>')

    def _early_end(self, epoch: float) -> str:
        """Return a line on an early end of the training after an epoch; empty where it has none."""
        rows, spec = [{"epoch": number, SCORE: score} for number, score in self.scores.items()], self.plan.training
        early = is_exhausted(self.plan, rows) and epoch < spec.epochs
        return f"ended early; validations without a better score: {spec.patience}" if early else ""


def _patches(number: int, job: TrainingJob) -> tuple[Sequence[Patch], str]:
    """Return patches to show, and the split of their tiles: "validation" or "training"."""
    plan = job.plan
    for split, folders in (("validation", job.validation_tiles), ("training", job.training_tiles)):
        tiles = load_tiles(folders, CPU, budget_mb=0)
        sizes = plan.training.patch, plan.model.multiple, plan.model.context_scale
        if patches := choose(tiles, plan.tasks, number, *sizes):
            return patches, split
    return [], ""

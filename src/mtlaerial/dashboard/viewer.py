"""Viewer of a training on the dashboard: progress, curves, and predictions of sample patches."""

import html
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch

from mtlaerial.config.dashboard import DashboardSpec
from mtlaerial.dashboard.client import Client, Window, text_window
from mtlaerial.dashboard.curves import Curves, panels
from mtlaerial.dashboard.picture import draw, picture_window
from mtlaerial.dashboard.sample_patches import SamplePatches
from mtlaerial.dashboard.samples import Maps, Patch
from mtlaerial.dashboard.sender import Sender
from mtlaerial.figures.style import named
from mtlaerial.prediction.map_network import MapNetwork
from mtlaerial.runs.history_columns import SCORE
from mtlaerial.training.early_stopping import is_exhausted
from mtlaerial.training.job import TrainingJob


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
        self.samples = SamplePatches(spec.samples, job)
        self.curves, self.panels = Curves(), panels(plan.training, plan.tasks, validated=bool(job.validation_tiles))
        self.scores: dict[float, float] = {}
        self.sender = Sender(Client(spec.url, f"{plan.dataset}_{plan.method}_seed{plan.seed}"), spec.seconds)

    def begin(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Show the rows of a resumed training."""
        for row in rows:
            self.add(row)

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
        if maps := self.samples.predict(network, device):
            self.sender.put("patches", partial(self._picture, self.samples.patches, maps, epoch))

    def close(self) -> None:
        """Show the end of the training, if the server takes it within seconds."""
        self.sender.close()

    def _picture(self, patches: Sequence[Patch], maps: Sequence[Maps], epoch: int) -> Window:
        return picture_window(draw(patches, maps, self.statistics, self.samples.heading(epoch)), "patches")

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

"""The watchers of a training: the dashboard and the loggers of its configuration."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, Self

import torch

from mtlaerial.config.loggers import LOGGERS
from mtlaerial.prediction.map_network import MapNetwork
from mtlaerial.training.job import TrainingJob
from mtlaerial.training.watcher import Watcher

log = logging.getLogger(__name__)


class Watchers:
    """Several watchers as one. A watcher that raises an error is left out, with one warning; the training goes on.

    Parameters
    ----------
    watchers : mapping of name to function
        Functions that make the watchers.
    """

    def __init__(self, watchers: Mapping[str, Callable[[], Watcher]]) -> None:
        self._watchers: dict[str, Watcher] = {}
        for name, make in watchers.items():
            try:
                self._watchers[name] = make()
            except Exception as error:
                _warn(name, error)

    @classmethod
    def of(cls, job: TrainingJob) -> Self:
        """Return the watchers that a job names."""
        from mtlaerial.dashboard.viewer import Viewer

        spec = job.dashboard
        makers: dict[str, Callable[[], Watcher]] = {"dashboard": lambda: Viewer(spec, job)} if spec else {}
        makers |= {name: partial(_logger, name, job) for name in job.loggers}
        return cls(makers)

    def begin(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take the rows of a resumed training; none of a new one."""
        self._each("begin", rows)

    def add(self, row: Mapping[str, Any]) -> None:
        """Take a row of the history, or the last one again with scores added."""
        self._each("add", row)

    def look(self, network: Callable[[], MapNetwork], device: torch.device, epoch: int) -> None:
        """Take a network, in evaluation mode, after an epoch."""
        self._each("look", network, device, epoch)

    def close(self) -> None:
        """Take the end of the training, finished or not."""
        self._each("close")

    def _each(self, method: Literal["begin", "add", "look", "close"], *values: Any) -> None:
        """Call a method of each watcher; leave out those that raise an error."""
        for name, watcher in list(self._watchers.items()):
            try:
                getattr(watcher, method)(*values)
            except Exception as error:  # of any kind, as watchers are no part of the training
                del self._watchers[name]
                _warn(name, error)


def _logger(name: str, job: TrainingJob) -> Watcher:
    watcher: Watcher = LOGGERS.load(name)(job)
    return watcher


def _warn(name: str, error: Exception) -> None:
    text = "%s: %s: %s; the training goes on without it, and history.csv will have everything"
    log.warning(text, name, type(error).__name__, error)

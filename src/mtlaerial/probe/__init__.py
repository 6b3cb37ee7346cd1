"""Probe of a training step's time and memory on this machine under settings that hardly change its results."""

from mtlaerial.probe.search import Probed, planned, probe
from mtlaerial.probe.trial import Settings, Trial

__all__ = ["Probed", "Settings", "Trial", "planned", "probe"]

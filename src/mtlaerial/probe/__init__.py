"""What a training step costs on this machine under each setting that a result may be bought with."""

from mtlaerial.probe.search import Probed, planned, probe
from mtlaerial.probe.trial import Settings, Trial

__all__ = ["Probed", "Settings", "Trial", "planned", "probe"]

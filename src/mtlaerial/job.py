"""All that a training is given, as one thing that can be written down and handed to other processes."""

from pathlib import Path

from mtlaerial.config import DashboardSpec, Section, Split
from mtlaerial.plan import RunPlan
from mtlaerial.statistics import Statistics


class TrainingJob(Section):
    """The arguments of :func:`mtlaerial.training.train`."""

    plan: RunPlan
    statistics: Statistics
    tiles: dict[Split, tuple[Path, ...]]
    """Folders of prepared tiles of the splits ``train`` and ``val``."""
    folder: Path
    resume: Path | None = None
    pretrained: Path | None = None
    dashboard: DashboardSpec | None = None

    def train(self) -> None:
        """Train in this process: alone, or as one of those that ``torchrun`` started.

        Raises
        ------
        UserError, Stopped
            As :func:`mtlaerial.training.train` does; at once where the processes cannot share a batch evenly.
        """
        from mtlaerial.parallel import Group
        from mtlaerial.training import train

        Group.current().share(self.plan.training.batch, self.plan.training.accumulate)
        tiles = self.tiles["train"], self.tiles["val"]
        train(self.plan, self.statistics, *tiles, self.folder, self.resume, self.pretrained, self.dashboard)

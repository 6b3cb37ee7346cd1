"""Training with its dashboard and loggers, in this process."""

from contextlib import closing

from mtlaerial.training.job import TrainingJob
from mtlaerial.training.process_group import Group
from mtlaerial.training.train import train


def run_training(job: TrainingJob) -> None:
    """Train in this process: alone, or as one of the processes that ``torchrun`` started.

    The main process sends the training to the dashboard and the loggers that the job names.

    Raises
    ------
    UserError, Stopped
        As :func:`mtlaerial.training.train.train` does; at once when the processes cannot share a batch evenly.
    """
    group = Group.current()
    group.share(job.plan.training.batch, job.plan.training.accumulate)
    if not group.main or not (job.dashboard or job.loggers):
        train(job)
        return
    from mtlaerial.dashboard.watchers import Watchers

    with closing(Watchers.of(job)) as watchers:
        train(job, watchers)

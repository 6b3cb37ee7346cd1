"""Watch of schedulers that are stuck: a cluster's that does not answer, or Snakemake's own that starts no job."""

import subprocess
import time
from collections.abc import Callable, Sequence
from threading import Thread
from typing import NamedTuple

from mtlaerial.errors import system_reason

EVERY = 30.0
"""Seconds between two looks."""
UNANSWERED = 90.0
"""Seconds without an answer of the cluster's scheduler after which it is named."""
IDLE = 210.0
"""Seconds without a job at work, though some are ready, after which Snakemake's scheduler is named."""
_TIMEOUT = 45.0
"""Seconds that an answer may take. With the others, what is stuck is named within five minutes."""


class JobCounts(NamedTuple):
    """Numbers of jobs at work, submitted ones included, and of jobs that could begin."""

    at_work: int
    ready: int


class SchedulerWatch:
    """Watch that looks at schedulers from time to time, and says once what is stuck.

    Parameters
    ----------
    counts : callable
        Returns the JobCounts of now.
    query : sequence of str
        Command that the cluster's scheduler answers; empty without a cluster.
    say : callable
        Takes a sentence.
    clock : callable
        Seconds from any point of time.
    """

    def __init__(
        self,
        counts: Callable[[], JobCounts],
        query: Sequence[str],
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._counts, self._query, self._say, self._clock = counts, query, say, clock
        self._answered = self._worked = clock()
        self._silent_said = self._idle_said = False

    def start(self) -> None:
        """Look until the process ends, in a thread of its own."""
        Thread(target=self._look_for_ever, daemon=True, name="scheduler watch").start()

    def _look_for_ever(self) -> None:
        while True:
            time.sleep(EVERY)
            self.look()

    def look(self) -> None:
        """Look once."""
        if self._query:
            self._look_at_cluster()
        self._look_at_jobs()

    def _look_at_cluster(self) -> None:
        fault = _fault(self._query)
        now = self._clock()
        if not fault:
            if self._silent_said:
                self._say(f"{self._query[0]}: the cluster's scheduler answers again.")
            self._answered, self._silent_said = now, False
        elif now - self._answered >= UNANSWERED and not self._silent_said:
            self._silent_said = True
            observed = f"no answer of the cluster's scheduler for {_minutes(now - self._answered)} ({fault})"
            self._say(
                f"{self._query[0]}: found {observed}; expected the states of jobs. Jobs at work go on, and the workflow"
                " waits. Ask the cluster's administrators, or end it by Ctrl-C and start the same command later: it"
                " goes on where it was."
            )

    def _look_at_jobs(self) -> None:
        counts, now = self._counts(), self._clock()
        if counts.at_work or not counts.ready:
            self._worked, self._idle_said = now, False
        elif now - self._worked >= IDLE and not self._idle_said:
            self._idle_said = True
            observed = f"{counts.ready} jobs that are ready and none at work for {_minutes(now - self._worked)}"
            self._say(
                f"scheduler: found {observed}; expected jobs at work. End it by Ctrl-C and start the same command with"
                " --scheduler greedy: it goes on where it was."
            )


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes"


def _fault(query: Sequence[str]) -> str:
    """Return why a command gives no answer; empty where it gives one."""
    try:
        done = subprocess.run(query, capture_output=True, text=True, check=False, timeout=_TIMEOUT)
    except subprocess.TimeoutExpired:
        return f"{_TIMEOUT:.0f} seconds each time"
    except OSError as error:
        return system_reason(error)
    return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1] if done.returncode else ""

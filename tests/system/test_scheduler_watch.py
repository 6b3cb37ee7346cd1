"""The watch of schedulers: what is stuck is named once, within five minutes, and what is not is never named."""

import sys

from mtlaerial.system.scheduler_watch import EVERY, JobCounts, SchedulerWatch

ANSWER, SILENCE = ("true",), (sys.executable, "-c", "import sys; sys.exit('Unable to contact slurm controller')")


class Place:
    """A watch with a clock of its own, and what it said with the seconds."""

    def __init__(self, counts: JobCounts, query: tuple[str, ...] = ()) -> None:
        self.seconds, self.counts = 0.0, counts
        self.said: list[tuple[float, str]] = []
        self.watch = SchedulerWatch(
            lambda: self.counts, query, lambda text: self.said.append((self.seconds, text)), lambda: self.seconds
        )

    def wait(self, minutes: float) -> None:
        for _ in range(round(minutes * 60 / EVERY)):
            self.seconds += EVERY
            self.watch.look()


def test_a_cluster_that_does_not_answer_is_named_once_and_so_is_its_return() -> None:
    place = Place(JobCounts(3, 0), SILENCE)
    place.wait(6)
    ((seconds, text),) = place.said
    assert seconds <= 300
    assert "found no answer of the cluster's scheduler" in text
    assert "Unable to contact slurm controller" in text
    place.watch._query = ANSWER
    place.wait(6)
    assert [text for _, text in place.said[1:]] == ["true: the cluster's scheduler answers again."]


def test_a_program_that_is_gone_is_no_answer() -> None:
    place = Place(JobCounts(3, 0), ("no-such-program",))
    place.wait(6)
    assert "(no such file or directory)" in place.said[0][1]


def test_ready_jobs_of_which_none_is_at_work_are_named_once() -> None:
    place = Place(JobCounts(0, 5), ANSWER)
    place.wait(12)
    ((seconds, text),) = place.said
    assert seconds <= 300
    assert text.startswith("scheduler: found 5 jobs that are ready and none at work for 4 minutes")


def test_work_and_its_end_are_not_named() -> None:
    for counts in (JobCounts(1, 5), JobCounts(0, 0)):
        place = Place(counts, ANSWER)
        place.wait(12)
        assert not place.said
    place = Place(JobCounts(0, 5))
    for _ in range(4):  # jobs begin every three minutes
        place.wait(3)
        place.counts = JobCounts(1, 4)
        place.wait(0.5)
        place.counts = JobCounts(0, 4)
    assert not place.said

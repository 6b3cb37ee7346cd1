"""The time that a test may take: seconds of CPU, which other work on the machine hardly changes."""

import resource
import time

import pytest

SECONDS = 5.0
"""CPU time of a test and the processes it has waited for, on a machine on which :func:`reference` takes `NOMINAL`."""
NOMINAL = 0.065
"""Seconds that :func:`reference` takes on the machine for which the limit was chosen."""
SPREAD = 2.0
"""The same work takes up to so many times as long at another moment of a machine that others use too."""
EXEMPT = ("slow", "full")
"""Markers of tests that may take longer; each gives the reason."""
_counted = 0.0
"""CPU time of processes that others waited for."""


def count(seconds: float) -> None:
    """Add the CPU time of a process that this one worked with, but did not start."""
    global _counted  # noqa: PLW0603
    _counted += seconds


def cpu_seconds() -> float:
    """Return the CPU time of this process, its threads, and the processes it has waited for or counted."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return _counted + sum(usage.ru_utime + usage.ru_stime for usage in usages)


def reference() -> float:
    """Return the CPU time of a fixed amount of work."""
    begin = time.process_time()
    total = 0
    for number in range(1_500_000):
        total += number * number
    return time.process_time() - begin


def limit() -> float:
    """Return the limit on this machine: more where it is slower than the reference, or is now, under load."""
    return SPREAD * SECONDS * max(1.0, reference() / NOMINAL)


def check(item: pytest.Item, seconds: float) -> None:
    """Fail a test that exceeds its budget without a stated reason."""
    if any(item.get_closest_marker(name) for name in EXEMPT) or seconds <= SPREAD * SECONDS:
        return
    if seconds > (allowed := limit()):
        pytest.fail(
            f"took {seconds:.1f} s of CPU time; expected some {SECONDS:g} s, at most {allowed:.1f} s now. Make it "
            'smaller, or mark it @pytest.mark.slow("why") or @pytest.mark.full("why").',
            pytrace=False,
        )

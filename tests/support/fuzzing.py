"""Fuzzing: a reader is given damaged and hostile files, and may do two things: read them, or refuse them in a sentence.

A case follows from the name of its target and its number, so that every fault can be repeated. A target runs in a
process of its own, which is watched: a crash, a hang and a large memory are faults like a traceback.
"""

import importlib
import multiprocessing
import random
import resource
import tempfile
import time
import traceback
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from mtlaerial.errors import UserError
from support.fuzz_mutations import mutated

SECONDS = 20.0
"""CPU time of a case; ten times as much may pass by the clock, as on a busy machine."""
MEGABYTES = 1024
"""Memory that a case may take beyond that of the valid inputs."""
_LONGEST = 1000
"""Characters of a sentence."""


class Target(ABC):
    """A reader under test. A module in ``tests/fuzz`` has one subclass, of the name ``Fuzzed``."""

    suffix = ""
    """Of the files that it is given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        """For files that it needs."""

    @abstractmethod
    def seeds(self) -> Sequence[bytes]:
        """Return valid files, which :meth:`read` accepts."""

    @abstractmethod
    def read(self, path: Path) -> None:
        """Read a file as a user's command does."""

    def structured(self, rng: random.Random) -> bytes | None:
        """Return a file that is hostile by its meaning, not by random bytes; None for a target without any."""
        return None


@dataclass(frozen=True)
class Outcome:
    """What came of a case: ``accepted``, ``refused``, or a fault: ``traceback``, ``form``, ``memory``, ``time``,
    ``crash``.
    """

    case: str
    kind: str
    text: str = ""

    @property
    def faulty(self) -> bool:
        """Whether the reader did anything but read the file or refuse it in a sentence."""
        return self.kind not in ("accepted", "refused")


def fuzz(name: str, cases: Iterable[int], faults: Path, kept: Sequence[Path] = ()) -> list[Outcome]:
    """Run cases of a target, after the files that are kept from faults of the past.

    Parameters
    ----------
    name : str
        The target's module in ``tests/fuzz``.
    cases : iterable of int
        Numbers of the cases.
    faults : Path
        Folder that the inputs of faults are written to.
    kept : sequence of Path
        Files that are given to the reader as they are.
    """
    with tempfile.TemporaryDirectory(prefix=f"fuzz_{name}_") as folder:
        work = [*kept, *cases]
        outcomes: list[Outcome] = []
        while len(outcomes) < len(work):  # once more after each crash or hang
            outcomes += _watched(name, Path(folder), work[len(outcomes) :], faults)
    return outcomes


def summary(outcomes: Sequence[Outcome]) -> str:
    """Return the numbers of outcomes by kind, and the faults."""
    kinds = Counter(outcome.kind for outcome in outcomes)
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    faults = [f"{outcome.case}: {outcome.kind}: {outcome.text}" for outcome in outcomes if outcome.faulty]
    return "\n".join([f"{len(outcomes)} cases: {counts}", *faults[:20]])


def _watched(name: str, folder: Path, work: Sequence[Path | int], faults: Path) -> Iterator[Outcome]:
    """Yield the outcomes of a process, up to the first that it does not survive."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(name, folder, work, faults, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        ready = ours.recv()  # after the imports and the valid inputs
        assert ready == "ready", ready
        for case in work:
            if not _answered(process.pid, ours):
                yield Outcome(str(case), "time", f"no answer within {SECONDS:g} s")
                return
            try:
                yield ours.recv()
            except EOFError:
                process.join()
                yield Outcome(str(case), "crash", f"exit status {process.exitcode}")
                return
        process.join(SECONDS)
    finally:
        process.kill()
        process.join()


def _answered(pid: int | None, results: Connection) -> bool:
    """Wait for an outcome; return False when the case takes too long."""
    times = psutil.Process(pid).cpu_times
    begin = sum(times()[:2])
    end = time.monotonic() + 10 * SECONDS
    while not results.poll(1):
        if time.monotonic() > end or sum(times()[:2]) - begin > SECONDS:
            return False
    return True


def _work(name: str, folder: Path, work: Sequence[Path | int], faults: Path, results: Connection) -> None:
    """Run cases in this process, and send their outcomes."""
    target = importlib.import_module(f"fuzz.{name}").Fuzzed(folder)
    seeds = target.seeds()
    path = folder / f"case{target.suffix}"
    for seed in seeds:
        path.write_bytes(seed)
        target.read(path)
    limit = _peak() + MEGABYTES
    # Twice as much is refused by the system, so that a fault does not take the machine's memory.
    resource.setrlimit(resource.RLIMIT_AS, (_status("VmSize") + 2 * MEGABYTES << 20, resource.RLIM_INFINITY))
    results.send("ready")
    for case in work:
        data = case.read_bytes() if isinstance(case, Path) else _input(name, target, case, seeds)
        path.write_bytes(data)
        if isinstance(case, int):  # there already if the process does not survive it
            faults.mkdir(parents=True, exist_ok=True)
            (faults / f"{name}_{case}{target.suffix}").write_bytes(data)
        outcome = _outcome(str(case), target, path, limit)
        if isinstance(case, int) and not outcome.faulty:
            (faults / f"{name}_{case}{target.suffix}").unlink()
        results.send(outcome)


def _input(name: str, target: Target, case: int, seeds: Sequence[bytes]) -> bytes:
    rng = random.Random(f"{name} {case}")
    hostile = target.structured(rng) if case % 2 else None
    return mutated(rng, seeds) if hostile is None else hostile


def _outcome(case: str, target: Target, path: Path, limit: int) -> Outcome:
    Path("/proc/self/clear_refs").write_text("5")  # sets the peak to the present memory
    try:
        target.read(path)
    except UserError as error:
        text = str(error)
        sentence = len(text) <= _LONGEST and text.isprintable() and ": found " in text and "; expected " in text
        kind = "refused" if sentence else "form"
        kind = "memory" if "MemoryError" in text else kind
    except MemoryError:
        kind, text = "memory", "MemoryError"
    except BaseException:
        kind, text = "traceback", traceback.format_exc(limit=-4)
    else:
        kind, text = "accepted", ""
    peak = _peak()
    return Outcome(case, "memory", f"{peak} MB") if peak > limit else Outcome(case, kind, text)


def _peak() -> int:
    """Return the largest resident memory of this process so far, in megabytes."""
    return _status("VmHWM")


def _status(key: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    values = dict(line.split(":", 1) for line in lines)
    return int(values[key].split()[0]) // 1024

"""Snakemake in processes that are forked after its imports, which take two thirds of a plan's time."""

import atexit
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from support import budget
from support.forked_jobs import CLIENT, cpu_seconds_of_jobs, job_server

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(
    ["snakemake.cli", "snakemake_executor_plugin_slurm", "mtlaerial.pipeline.project", "mtlaerial.pipeline.power_notes"]
)


def run_snakemake(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path, timeout: float
) -> int:
    """Run Snakemake in a process of its own and return its exit code.

    It plans with this checkout's package; its jobs are forked too, with the package that the environment names.

    Parameters
    ----------
    arguments : sequence of str
        Of Snakemake.
    log : Path
        File that gets standard output and error.
    timeout : float
        Seconds after which it is killed.
    """
    environment = {**environment, "JOB_SERVER": str(job_server())}
    before = cpu_seconds_of_jobs()
    receiver, sender = _SERVER.Pipe(duplex=False)
    process = _SERVER.Process(target=_run, args=(arguments, folder, dict(environment), log, sender))
    process.start()
    sender.close()
    if not receiver.poll(timeout):
        process.kill()
    with suppress(EOFError):  # it was killed: its exit code says so
        budget.count(receiver.recv())
    budget.count(cpu_seconds_of_jobs() - before)
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def _run(
    arguments: Sequence[str], folder: Path, environment: dict[str, str], log: Path, connection: Connection
) -> None:
    """Run Snakemake as ``python -m snakemake`` would in the folder; send the CPU time that it and its jobs took."""
    from snakemake.cli import main

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = [str(folder), *environment["PYTHONPATH"].split(os.pathsep)]
    sys.argv = ["snakemake", *arguments]
    sys.executable = CLIENT  # by which Snakemake runs scripts
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(file, stream.fileno())
    try:
        main()
    finally:
        atexit._run_exitfuncs()  # as an interpreter does at its end; a forked process ends without them
        connection.send(budget.cpu_seconds())

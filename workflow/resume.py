"""Resume after a crash: remove the lock of a killed Snakemake and run Snakemake again.

``python workflow/resume.py ARGUMENTS`` is ``snakemake ARGUMENTS``, but first checks that no process of Snakemake or of
its jobs works in this folder (on this machine only: other nodes of a cluster are not visible). ``rerun-incomplete`` in
the profile then repeats interrupted jobs.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import psutil

JOB_SCRIPTS = "/.snakemake/scripts/"
"""Part of the path of every script that runs as a job."""


def owners(folder: Path) -> list[psutil.Process]:
    """Return the running processes of Snakemake and of its jobs in a folder, except this one and its parents."""
    ancestors = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    others = (process for process in psutil.process_iter() if process.pid not in ancestors)
    return [process for process in others if _works_in(process, folder)]


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        command = process.cmdline()
        ours = any(Path(part).name == "snakemake" or JOB_SCRIPTS in part for part in command)
        return ours and Path(process.cwd()) == folder and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def working_folder(arguments: list[str]) -> Path:
    """Return the folder that Snakemake works in with some arguments."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("-d", "--directory", type=Path, default=Path())
    directory: Path = parser.parse_known_args(arguments)[0].directory
    return directory.resolve()


def main(arguments: list[str]) -> int:
    """Unlock and run Snakemake, or list the processes that still run."""
    folder = working_folder(arguments)
    if alive := owners(folder):
        pids = " ".join(str(process.pid) for process in alive)
        print(
            f"Snakemake or its jobs are still at work in {folder}: processes {pids}. "
            "Wait until they end, or end them (kill PID), and then try again.",
            file=sys.stderr,
        )
        return 1
    snakemake = [sys.executable, "-m", "snakemake", *arguments]
    if code := subprocess.run([*snakemake, "--unlock"], check=False).returncode:
        return code
    os.execv(sys.executable, snakemake)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

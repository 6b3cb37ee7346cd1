"""Go on after a crash: remove the lock that a killed Snakemake left behind, and run it again.

``python workflow/resume.py ARGUMENTS`` does what ``snakemake ARGUMENTS`` does, but first makes sure that no Snakemake
and no job of one is at work in this folder (on this machine: a cluster's other nodes cannot be seen from here).
``rerun-incomplete`` of the profile then repeats what was broken off.
"""

import os
import subprocess
import sys
from pathlib import Path

import psutil  # type: ignore[import-untyped]

JOB_SCRIPTS = "/.snakemake/scripts/"
"""Part of the path of each script that runs as a job."""


def owners(folder: Path) -> list[psutil.Process]:
    """Return the living processes of Snakemake and of its jobs that work in a folder, but for this and its parents."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [process for process in psutil.process_iter() if process.pid not in own and _works_in(process, folder)]


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        command = process.cmdline()
        ours = any(Path(part).name == "snakemake" or JOB_SCRIPTS in part for part in command)
        return ours and Path(process.cwd()) == folder and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def main(arguments: list[str]) -> int:
    """Unlock and run Snakemake, or say who is still at work."""
    if alive := owners(Path.cwd().resolve()):
        pids = " ".join(str(process.pid) for process in alive)
        print(
            f"Snakemake or its jobs are still at work in {Path.cwd()}: processes {pids}. "
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

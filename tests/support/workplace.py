"""A copy of the workflow in a folder of its own, with the commands of a user."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import psutil
import yaml

from support.forked_snakemake import run_snakemake
from support.paths import ROOT, TESTS

TINY = TESTS / "workflow" / "tiny.yaml"
SPLITS = {"train": ["city_1", "city_2"], "val": ["city_3"], "test": ["city_4"]}
TOWN = {
    "run": {"datasets": ["town"]},
    "datasets": {"town": {"spec": "config/datasets/city4.yaml", "root": "datasets/town"}},
}
"""Keys of an overlay by which the city is expected on disk."""
UNCOMPARED = ("logs", "benchmarks")
"""Folders of the results that hold times."""
MEASURES = ("cost.json", "prediction_cost.json", "progress.jsonl", "tile.json")
"""Files of times and memory, and of times of raw files; the report shows costs in cells of a class of their own."""
MEASURED = re.compile(rb'<td class="measured">.*?</td>')


class Workplace:
    """A folder with copies of the workflow, the package and the configuration, and an overlay.

    Parameters
    ----------
    folder : Path
        Where; an existing workplace is taken as it is.
    overlay : Path
        Copied to ``overlay.yaml``.
    """

    execution: Sequence[str] = ("--cores", "2")
    """Folder that jobs run in."""

    def __init__(self, folder: Path, overlay: Path = TINY) -> None:
        self.folder = folder
        if folder.exists():
            return
        for name in ("workflow", "config", "profiles", "src"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.egg-info"))
        shutil.copy(ROOT / "Snakefile", folder)
        shutil.copy(overlay, folder / "overlay.yaml")
        shutil.copy(self.spec, self.spec.with_name("city4.yaml"))
        self.change_spec(splits=SPLITS)

    @property
    def spec(self) -> Path:
        """The specification of the data set: the city with all its tiles, or with four once that is there."""
        folder = self.folder / "config" / "datasets"
        return next(path for name in ("city4", "city") if (path := folder / f"{name}.yaml").exists())

    def copy(self, folder: Path) -> Self:
        """Return a copy with all results; times of files included."""
        shutil.copytree(self.folder, folder)
        return type(self)(folder)

    def remove(self) -> None:
        """Delete it."""
        shutil.rmtree(self.folder)

    def change_spec(self, **changes: Any) -> None:
        """Change keys of the data set's specification."""
        data = yaml.safe_load(self.spec.read_text())
        self.spec.write_text(yaml.safe_dump({**data, **changes}, sort_keys=False))

    def command(self, *more: str, config: Path | dict[str, Any] | None = None, script: str = "") -> list[str]:
        """Return a command: Snakemake, or a script with its arguments, and ``config`` as one more overlay."""
        files = ["config/config.yaml", "overlay.yaml"]
        if isinstance(config, dict):
            (self.folder / "change.yaml").write_text(yaml.safe_dump(config))
            files.append("change.yaml")
        elif config:
            files.append(str(config))
        program = [script] if script else ["-m", "snakemake"]
        return [sys.executable, *program, *self.execution, *more, "--configfile", *files]

    @property
    def environment(self) -> dict[str, str]:
        """The environment, with this folder's package before the installed one."""
        return {**os.environ, "PYTHONPATH": str(self.folder / "src")}

    def run(self, *more: str, timeout: int = 1800, **how: Any) -> subprocess.CompletedProcess[str]:
        """Run a command; standard output and error come together.

        Snakemake is forked, unless a script starts it: :meth:`start` has the command that a user gives.
        """
        command = self.command(*more, **how)
        if "script" not in how:
            return self._run_forked(command, timeout)
        options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "env": self.environment}
        return subprocess.run(command, cwd=self.folder, text=True, check=False, timeout=timeout, **options)

    def _run_forked(self, command: list[str], timeout: float) -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "log"
            code = run_snakemake(command[3:], self.folder, self.environment, log, timeout)
            return subprocess.CompletedProcess(command, code, log.read_text())

    def start(self, *more: str, script: str = "") -> subprocess.Popen[bytes]:
        """Start a command in a session of its own, its output in ``snakemake.log``."""
        command = self.command(*more, script=script)
        with (self.folder / "snakemake.log").open("ab") as file:
            options: dict[str, Any] = {"stdout": file, "stderr": file, "env": self.environment}
            return subprocess.Popen(command, cwd=self.folder, start_new_session=True, **options)

    def planned(self, config: Path | dict[str, Any] | None = None, targets: Sequence[str] = ()) -> list[str]:
        """Return what a run would do, for all results or some: the message of each job.

        With a file as ``config``, or none, nothing is written in the folder, and several processes may plan at once.
        """
        dry = self.run("--dry-run", "--nolock", *targets, config=config)
        assert dry.returncode == 0, dry.stdout
        return re.findall(r"^Job \d+: (.*)$", dry.stdout, re.MULTILINE)

    def results(self) -> dict[str, bytes]:
        """Return the content of every result that shall be the same in every run."""
        root = self.folder / yaml.safe_load((self.folder / "overlay.yaml").read_text())["results"]
        files = (
            path.relative_to(root) for path in sorted(root.rglob("*")) if path.is_file() and path.name not in MEASURES
        )
        compared = [file for file in files if file.parts[0] not in UNCOMPARED and file.name[0] != "."]
        contents = {str(file): (root / file).read_bytes() for file in compared}
        if "report.html" in contents:
            contents["report.html"] = MEASURED.sub(b"", contents["report.html"])
        return contents


def shorten_original(path: Path) -> None:
    """Leave one test tile and two of each other split in a specification of the original's, and no archive's hash."""
    spec = yaml.safe_load(path.read_text())
    archives = [{key: value for key, value in archive.items() if key != "md5"} for archive in spec["archives"]]
    splits = {split: tiles[: 1 if split == "test" else 2] for split, tiles in spec["splits"].items()}
    path.write_text(yaml.safe_dump({**spec, "archives": archives, "splits": splits}, sort_keys=False))


def session(leader: int) -> Iterator[psutil.Process]:
    """Yield the living processes of a session."""
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                yield process
        except (psutil.Error, ProcessLookupError, PermissionError):
            continue


def kill_session(snakemake: subprocess.Popen[bytes]) -> list[str]:
    """Kill a session, Snakemake first, as the kernel would; return the names of the rules that were running."""
    jobs = {process.pid: job_of(process) for process in session(snakemake.pid)}
    snakemake.send_signal(signal.SIGKILL)
    snakemake.wait()
    while left := list(session(snakemake.pid)):
        for process in left:
            process.kill()
        psutil.wait_procs(left, timeout=60)
    return sorted(filter(None, jobs.values()))


def job_of(process: psutil.Process) -> str:
    """Return the rule whose script a process runs; empty for anything else."""
    try:
        script = re.search(r"\.snakemake/scripts/\w+\.(\w+)\.py", " ".join(process.cmdline()))
    except psutil.Error:
        return ""
    return script[1] if script else ""


def differences(first: dict[str, bytes], second: dict[str, bytes]) -> list[str]:
    """Return the files that differ or are in one only."""
    return [name for name in sorted(first.keys() | second.keys()) if first.get(name) != second.get(name)]

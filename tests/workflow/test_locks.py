"""Two Snakemakes in one folder: what docs/reliability.md says of Snakemake's own locks."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.waiting import eventually

pytestmark = [pytest.mark.workflow, pytest.mark.full("seven Snakemakes, on behaviour of Snakemake alone")]
SNAKEFILE = """
rule slow:
    output: "slow.txt"
    shell: "touch begun; while [ ! -e go ]; do sleep 0.1; done; touch {output}"
rule reader:
    input: "slow.txt"
    output: "reader.txt"
    shell: "touch {output}"
rule separate:
    output: "separate.txt"
    shell: "touch {output}"
"""


def snakemake(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a Snakemake; its log goes to standard output."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def ended(folder: Path, *arguments: str) -> tuple[int, str]:
    """Return exit code and log of a Snakemake."""
    process = snakemake(folder, *arguments)
    log = process.communicate(timeout=240)[0]
    return process.returncode, log


def test_a_second_snakemake_does_not_wait(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    first = snakemake(tmp_path, "slow.txt")
    try:
        eventually((tmp_path / "begun").exists)
        for target in ("slow.txt", "reader.txt"):
            code, log = ended(tmp_path, target)
            assert code == 1
            assert "LockException" in log
            assert ended(tmp_path, "--dry-run", target)[0] == 0
        assert first.poll() is None
        assert list(tmp_path.glob(".snakemake/locks/*"))
        assert ended(tmp_path, "separate.txt")[0] == 0
        assert not list(tmp_path.glob(".snakemake/locks/*")), "locks of the first, which still runs"
        assert first.poll() is None
    finally:
        (tmp_path / "go").touch()
        log = first.communicate(timeout=240)[0]
    assert first.returncode == 0, log

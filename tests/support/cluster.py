"""A SLURM cluster of one node on this machine, with one GPU that is none."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

ETC = Path("/etc/slurm")
"""The path at which jobs look for the configuration, whatever ``SLURM_CONF`` says."""
PACKAGES = ("slurm-wlm", "munge")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun")
CONF = """\
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=10
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SwitchType=switch/none
GresTypes=gpu
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
ReturnToService=2
SlurmdTimeout=10
KillWait={kill_wait}
MinJobAge=86400
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs=16 RealMemory=100000 Gres=gpu:1 State=UNKNOWN
PartitionName=others Nodes={host} Default=YES MaxTime=INFINITE State=UP
PartitionName=mapping Nodes={host} MaxTime=INFINITE State=UP
"""
"""The node promises more cores and memory than there are, so that the GPU alone is scarce."""
GRES = "AutoDetect=off\nNodeName={host} Name=gpu File=/dev/null\n"


class NoCluster(Exception):
    """SLURM cannot be had here; the message says why."""


class Cluster:
    """A running cluster: queries of its jobs and node, and commands to them.

    Parameters
    ----------
    folder : Path
        Where the daemons keep their files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = socket.gethostname()

    def start_node(self) -> None:
        """Start the node's daemon, and wait until jobs may come."""
        say("slurmd", "-c")
        self.wait_for_node("IDLE", "MIXED", "ALLOCATED")

    def kill_node(self, with_jobs: bool) -> None:
        """Kill the node's daemon, as if the network had failed; with its jobs, as if the power had."""
        victims = [process for process in psutil.process_iter() if process.name() == "slurmd"]
        if with_jobs:
            stepds = [process for process in psutil.process_iter() if process.name() == "slurmstepd"]
            victims += [*stepds, *(child for stepd in stepds for child in stepd.children(recursive=True))]
        for process in victims:
            process.kill()
        psutil.wait_procs(victims, timeout=10)

    def wait_for_node(self, *states: str) -> None:
        """Wait until the node is in one of some states."""
        wait_for(lambda: self.node_state() in states, 90, f"node {' or '.join(states)}")

    def node_state(self) -> str:
        """Return the node's state without its suffixes."""
        return say("sinfo", "--noheader", "--format=%T").strip().rstrip("*~#!%$@^-+").upper()

    def jobs(self) -> list[dict[str, str]]:
        """Return the record of every job, oldest first."""
        lines = say("scontrol", "--oneliner", "show", "job").splitlines()
        return [_fields(line) for line in lines if "JobId=" in line]


@contextmanager
def running_cluster(folder: Path, kill_wait: int = 30) -> Iterator[Cluster]:
    """Set a cluster up, and take it down again whatever happens.

    Parameters
    ----------
    folder : Path
        Where the daemons keep their files.
    kill_wait : int
        Seconds between the cluster's SIGTERM and its SIGKILL; 30 is what SLURM comes with.

    Raises
    ------
    NoCluster
        When there is no SLURM and none can be installed.
    """
    require()
    cluster = Cluster(folder)
    with ExitStack() as undo:
        folder.mkdir(parents=True)
        for name in ("state", "spool"):
            (folder / name).mkdir()
        ports = {"controller_port": free_port(), "node_port": free_port()}
        conf = CONF.format(host=cluster.host, folder=folder, kill_wait=kill_wait, **ports)
        undo.enter_context(replaced(ETC / "slurm.conf", conf))
        undo.enter_context(replaced(ETC / "gres.conf", GRES.format(host=cluster.host)))
        undo.callback(kill_daemons, folder)
        start_munge(folder)
        say("slurmctld", "-c")
        cluster.start_node()
        yield cluster


def require() -> None:
    """Install SLURM where it is missing."""
    if os.geteuid() != 0:
        raise NoCluster("SLURM has to be started by root: run this as root, on a machine to spare.")
    if not all(map(shutil.which, PROGRAMS)):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (("update",), ("install", "--yes", "--no-install-recommends", *PACKAGES)):
            done = subprocess.run(["apt-get", "--quiet", *arguments], env=environment, check=False)
            if done.returncode:
                raise NoCluster(f"SLURM is not installed, and apt-get {' '.join(arguments)} failed: see above.")
    if running := [process.pid for process in psutil.process_iter() if process.name() in ("slurmctld", "slurmd")]:
        raise NoCluster(f"A SLURM is already at work on this machine (processes {running}); this would disturb it.")


@contextmanager
def replaced(path: Path, content: str) -> Iterator[None]:
    """Give a file another content for a while; one that was not there goes again.

    What is kept beside it after a killed test is what gets restored.
    """
    backup = path.with_name(f"{path.name}.kept-by-test")
    path.parent.mkdir(exist_ok=True)
    if path.exists() and not backup.exists():
        path.rename(backup)
    path.write_text(content)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        if backup.exists():
            backup.rename(path)


def start_munge(folder: Path) -> None:
    """Start the daemon by which SLURM's programs know each other, with a key of its own."""
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    files = {name: folder / f"munge.{name}" for name in ("socket", "seed", "log", "pid")}
    options = {"socket": "socket", "seed-file": "seed", "log-file": "log", "pid-file": "pid"}
    say("munged", "--force", f"--key-file={key}", *(f"--{name}={files[file]}" for name, file in options.items()))


def kill_daemons(folder: Path) -> None:
    """End all that the cluster started, jobs included."""
    pids = [int(path.read_text()) for path in folder.glob("*.pid") if path.read_text().strip()]
    daemons = [process for process in psutil.process_iter() if process.pid in pids]
    stepds = [process for process in psutil.process_iter() if process.name() == "slurmstepd"]
    jobs = [child for stepd in stepds for child in stepd.children(recursive=True)]
    for process in (*daemons, *stepds, *jobs):
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs([*daemons, *stepds, *jobs], timeout=10)


def free_port() -> int:
    """Return the number of a port that nobody listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def say(*command: str) -> str:
    """Run a command to its end and return its output."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def _fields(line: str) -> dict[str, str]:
    """Return the ``key=value`` fields of a line of ``scontrol --oneliner``."""
    return dict(part.split("=", 1) for part in line.split() if "=" in part)


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.2)

"""Cost of the dashboard: a training step with server on, absent or hung, against none; and the server's memory.

Steps of the small network with a row of the history after each and two updates a second, ten times the default; the
patches after an epoch are timed separately. Figures are processor seconds of the whole process, its sending thread
included, with one thread of torch, so other load of the machine counts little. The variants take turns, a few steps
each; a ratio is that of one round. The server is a real one on the same machine, hung by SIGSTOP.

    python benchmarks/dashboard.py [--rounds 15] [--updates 10000] [--json FILE]
"""

import argparse
import json
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from apart import apart
from record import save
from weightings import Case, build_trainers

STEPS, EPOCHS, SECONDS = 5, 1000, 0.5
"""Steps of a block, epochs of the recipe (more than are trained), and seconds between updates."""
VARIANTS = ("off", "on", "server absent", "server hung")
PICTURE = 100
"""Every so many updates one is of the picture."""
NOTED = (1000, 10_000)
"""Numbers of updates after which the server's memory is recorded."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--updates", type=int, default=10_000, help="of windows, for the server's memory")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    seconds = apart(steps, options.rounds)
    patches = statistics.median(seconds.pop("patches"))
    rows = []
    for name, taken in seconds.items():
        ratio = statistics.median(one / off for one, off in zip(taken, seconds["off"], strict=True))
        rows.append({"name": name, "seconds": statistics.median(taken), "ratio": ratio})
        print(f"{name}: {rows[-1]['seconds']:.3f} s a step ({ratio:.3f})")
    print(f"patches after an epoch: {patches:.3f} s")
    memory = apart(server_memory, options.updates)
    print(", ".join(f"{name} {value:.1f}" for name, value in memory.items()))
    save(options.json, "dashboard", rows, patches=patches, memory=memory, rounds=options.rounds)


@contextmanager
def server(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Start Visdom; yield its URL and its process."""
    port = free_port()
    command = [sys.executable, "-m", "mtlaerial", "dashboard", "--port", str(port), "--saved", str(folder / "saved")]
    process = subprocess.Popen([*command, "--assets", "npm"], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    while "is at" not in (line := process.stdout.readline()):
        assert line, "no server"
    try:
        yield f"http://127.0.0.1:{port}", psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    """Return an unused port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def steps(folder: Path, rounds: int) -> dict[str, list[float]]:
    """Return the mean processor seconds of a step by variant and block, and those of ``patches``."""
    case = Case("equal", "")
    recipe = {"threads": 1, "log_every": 1, "epoch_patches": 8 * STEPS, "epochs": EPOCHS}
    trainer = build_trainers(folder, "small", [case], **recipe)[case]
    tiles = [path.parent for path in folder.glob("*/labels.tif")]
    seconds: dict[str, list[float]] = {name: [] for name in (*VARIANTS, "patches")}
    with server(folder) as (url, process):
        urls = {"off": None, "on": url, "server absent": f"http://127.0.0.1:{free_port()}", "server hung": url}
        for number in range(rounds + 1):
            for name in VARIANTS:
                if name == "server hung":
                    process.send_signal(signal.SIGSTOP)
                taken, looked = block(trainer, urls[name], tiles)
                process.send_signal(signal.SIGCONT)
                if number:  # the first warms up
                    seconds[name].append(taken)
                    seconds["patches"] += [looked] * (name == "on")
    return seconds


def block(trainer: Any, url: str | None, tiles: list[Path]) -> tuple[float, float]:
    """Return the mean processor seconds of a step, and those of the patches, without start and close."""
    from mtlaerial.config import DashboardSpec
    from mtlaerial.dashboard.viewer import Viewer
    from mtlaerial.training.job import TrainingJob

    spec = DashboardSpec(url=url, seconds=SECONDS) if url else None
    job = TrainingJob(plan=trainer.plan, statistics=trainer.statistics, training_tiles=tiles, folder=Path("unused"))
    viewer = Viewer(spec, job) if spec else None
    trainer.watcher = viewer
    trainer._begin()
    begun = time.process_time()
    for _ in range(STEPS):
        trainer._train_step()
    trained = time.process_time()
    if viewer:
        viewer.look(trainer.evaluation.mapper, trainer.device, trainer.epoch)
    looked = time.process_time() - trained
    if viewer:
        viewer.close()
    return (trained - begun) / STEPS, looked


def server_memory(folder: Path, updates: int) -> dict[str, float]:
    """Return the server's memory in megabytes after some updates, and the duration and size of an update."""
    from mtlaerial.dashboard.client import Client
    from mtlaerial.dashboard.curves import Curves, panels

    training = build_trainers(folder, "small", [Case("equal", "")])[Case("equal", "")].spec
    shown, curves = panels(training, ("semantics", "height"), validated=True), Curves()
    names = [column for panel in shown.values() for column in panel.columns]
    for step in range(updates):
        curves.add({"epoch": step / 50, **dict.fromkeys(names, 1 / (1 + step))})
    picture = {"data": [{"type": "image", "content": {"src": "data:image/webp;base64," + "A" * 200_000}}], "opts": {}}
    figures, contents = dict[str, float](), {name: curves.plot(panel) for name, panel in shown.items()}
    with server(folder) as (url, process):
        client, begun, windows = Client(url, "run"), time.perf_counter(), list(contents.items())
        for number in range(1, updates + 1):
            name, content = windows[number % len(windows)] if number % PICTURE else ("patches", picture)
            client.show(name, content)
            if number in (*NOTED, updates):
                figures[f"MB after {number:,} updates:"] = process.memory_info().rss / 2**20
        figures["ms an update:"] = (time.perf_counter() - begun) / updates * 1000
    return figures | {"kB of all curves:": sum(len(json.dumps(one)) for one in contents.values()) / 1000}


if __name__ == "__main__":
    main()

"""OpenMP, by which torch divides work on the CPU among threads."""

import os


def wait_passively() -> None:
    """Let threads sleep while they wait for each other; of effect before torch is imported.

    Otherwise a thread that waits for one whose core is busy with other work keeps its own core busy meanwhile. What the
    environment states stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

"""Finished rows of runs that were never trained, to plan with."""

import json
from pathlib import Path

from mtlaerial.pipeline.finished_rows import row_path
from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.run_keys import run_keys
from mtlaerial.pipeline.runs_here import RunKey
from mtlaerial.runs.plan import fingerprint
from mtlaerial.scoring.finished_row import FORMAT


def write_row(project: Project, run: RunKey, parent: Path = Path(), patches: int | None = None) -> None:
    """Write the keys of a run into the file of its row, with patches per epoch; it has no scores to take."""
    assert project.config.finished
    keys = run_keys(project, *run)
    keys = keys.with_patches({"train": patches}) if patches else keys
    entries = {"format": FORMAT, "keys": dict(keys.values)}
    path = parent / row_path(project.config.finished, run)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**entries, "sha256": fingerprint(entries)}))

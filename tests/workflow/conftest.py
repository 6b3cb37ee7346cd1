"""A finished workflow on a data set that is expected on disk, made once for all processes of a test run."""

import os
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

from mtlaerial.config import load_dataset, merge
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.synthetic.generate import synthesise
from support.workplace import SPLITS, TINY, TOWN, Workplace


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """Return a workplace whose workflow has run; to be read, and copied where something shall change."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "finished"
    with FileLock(shared / "finished.lock"):
        if not folder.exists():
            _finish(shared, folder)
    return Workplace(folder)


def _finish(shared: Path, folder: Path) -> None:
    overlay = shared / "overlay.yaml"
    overlay.write_text(yaml.safe_dump(merge(yaml.safe_load(TINY.read_text()), TOWN)))
    place = Workplace(folder, overlay)
    place.change_spec(splits={**SPLITS, "test": ["city_4", "city_5"]})  # one tile more than is used at first
    synthesise(Dataset("town", load_dataset(place.spec), folder / "datasets/town"), seed=0, size=64)
    place.change_spec(splits=SPLITS)
    run = place.run()
    assert run.returncode == 0, run.stdout

"""A finished workflow on a data set that is expected on disk."""

from pathlib import Path

import pytest
import yaml

from mtlaerial.config import load_dataset, merge
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.synthetic.generate import synthesise
from support.shared import made_once
from support.without_torch import require_torch
from support.workplace import SPLITS, TINY, TOWN, Workplace


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """Return a workplace whose workflow has run; tests read it, plan from it, or copy it."""
    require_torch()
    return Workplace(made_once(tmp_path_factory, "finished", _finish))


def _finish(folder: Path) -> None:
    overlay = folder.with_suffix(".yaml")
    overlay.write_text(yaml.safe_dump(merge(yaml.safe_load(TINY.read_text()), TOWN)))
    place = Workplace(folder, overlay)
    place.change_spec(splits={**SPLITS, "test": ["city_4", "city_5"]})  # one tile more than is used at first
    synthesise(Dataset("town", load_dataset(place.spec), folder / "datasets/town"), seed=0, size=64)
    place.change_spec(splits=SPLITS)
    run = place.run()
    assert run.returncode == 0, run.stdout

"""The example of docs/python.md runs, from objects to scores."""

import re
from pathlib import Path

import pytest
import yaml

from mtlaerial.config import load_dataset
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.synthetic.generate import synthesise
from support import tiny
from support.without_torch import needs_torch

ROOT = Path(__file__).parents[1]


@pytest.mark.full("trains, predicts and scores")
@needs_torch
def test_the_example_trains_predicts_and_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/datasets").symlink_to(ROOT / "config/datasets")
    (tmp_path / "config/config.yaml").symlink_to(ROOT / "config/config.yaml")
    demo = yaml.safe_load((ROOT / "config/demo.yaml").read_text(encoding="utf-8"))
    demo["models"] = {"d3net": {"pretrained": "none", **tiny.MODEL}}
    demo["training"] |= {**tiny.TRAINING, "epochs": 1}
    (tmp_path / "config/demo.yaml").write_text(yaml.safe_dump(demo), encoding="utf-8")
    spec = load_dataset(ROOT / "config/datasets/city.yaml")
    synthesise(Dataset("city", spec, tmp_path / "datasets/city"), seed=0, size=tiny.SIZE)
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/python.md").read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(example, names)
    assert (tmp_path / "maps/height.tif").exists()
    assert set(names["scores"].tiles) == {"city_6", "city_7"}  # type: ignore[attr-defined]  # typed as object

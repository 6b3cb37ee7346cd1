"""A configuration with every key."""

import json
from pathlib import Path
from typing import Any

import pytest

from mtlaerial.config import ProjectConfig
from support import tiny
from support.every_key import PART_OF_THE_TRUTH, TILES, as_stated


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return a configuration with every key: a generated data set, and one whose archive is not unpacked."""
    monkeypatch.chdir(tmp_path)
    tiny.write_zip(Path("town/a.zip"), {"readme.txt": b""})
    Path("other.yaml").write_text(json.dumps(TILES))
    method = {"tasks": ["semantics", "height"], "model": "net"}
    data = {
        "run": {"datasets": ["town", "made"], "methods": ["both", "other", "mean"], "seeds": [0]},
        "resume": "states",
        "dashboard": {},
        "calibration": {},
        "objects": {"classes": ["roof"]},
        "training": {"budget": {"minutes": 10}, **PART_OF_THE_TRUTH},
        "datasets": {
            "made": {"spec": "made.yaml", "root": "made", "generate": {}},
            "town": {"spec": "town.yaml", "root": "town"},
        },
        "models": {"net": {}, "small": {"head": [8, 8]}},
        "methods": {
            "both": method,
            "other": {**method, "tasks": ["height"]},
            "mean": {"ensemble": {"members": ["other"]}},
        },
        "pretrained": {"weights": {"url": "https://example.org", "sha256": "0" * 64}},
    }
    return as_stated(ProjectConfig.parse(data, "test").model_dump(mode="json"))

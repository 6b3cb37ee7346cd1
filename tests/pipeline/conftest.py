"""A configuration of one data set and three methods."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from support import tiny
from support.city_project import SPEC


@pytest.fixture
def data(tmp_path: Path) -> dict[str, Any]:
    """Return a configuration of one data set and three methods."""
    (tmp_path / "city.yaml").write_text(yaml.safe_dump(SPEC), encoding="utf-8")
    return {
        "run": {"datasets": ["city"], "methods": ["both", "classes"], "seeds": [0, 1]},
        "datasets": {"city": {"spec": str(tmp_path / "city.yaml"), "root": str(tmp_path / "data")}},
        "models": {"net": tiny.MODEL},
        "methods": {
            "both": {"tasks": ["semantics", "height"], "model": "net"},
            "classes": {"tasks": ["semantics"], "model": "net", "overrides": {"training": {"batch": 9}}},
            "metres": {"tasks": ["height"], "model": "net"},
        },
    }

"""Numbers of column blocks that rasters are blended in."""

import pytest

from mtlaerial.prediction.blending import blender as blending


@pytest.fixture(params=["one block", "many blocks"])
def blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "many blocks":
        monkeypatch.setattr(blending, "BLOCK_BYTES", 1)

"""Data sets that are checked before they are prepared without Snakemake."""

from pathlib import Path

import pytest

from mtlaerial.pipeline.sound_data import require_sound
from support.town import Town


def test_warnings_of_the_check_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    town = Town(tmp_path)
    require_sound(town.dataset)
    assert caplog.text == ""
    image = town.image()
    image[1] = 7
    path = town.write("image", "a", image)
    require_sound(town.dataset)
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert f"{path}: one value in every pixel of band 2 (7)" in record.getMessage()
    assert "Check the file and image.bands." in record.getMessage()

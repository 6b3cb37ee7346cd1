"""Images and runs: what does not match is refused, what is unusual is logged."""

from pathlib import Path

import pytest

from mtlaerial.datasets.check import check_tile
from mtlaerial.errors import DataError, MismatchError, UserError
from mtlaerial.prediction.image_match import match_image
from mtlaerial.runs.run import RunDescription, load_description
from support.bad_rasters import BAD_RASTERS
from support.town import Town


@pytest.fixture(scope="module")
def description(run_folder: Path) -> RunDescription:
    """Return the description of a run of red, green and blue bytes at 0.5 m."""
    return load_description(run_folder)


@pytest.mark.parametrize("name", BAD_RASTERS)
def test_a_bad_raster_ends_in_one_sentence_in_check_and_predict(
    name: str, tmp_path: Path, description: RunDescription
) -> None:
    bad, town = BAD_RASTERS[name], Town(tmp_path)
    town.change(height=None)
    bad.write(town)
    report = check_tile(town.dataset, "a")
    errors = [str(finding) for finding in report.findings if finding.level == "error"]
    with pytest.raises(UserError) as caught:
        match_image(town.root / "image" / "a.tif", description, None, None)
    for word in bad.words:
        assert word in str(caught.value)
        assert not bad.error_in_check or any(word in error for error in errors), errors
    assert bool(errors) or not bad.error_in_check
    assert "\n" not in str(caught.value)

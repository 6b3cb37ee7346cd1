"""Checkerboard ratios: peaks of pooled spectra, their file beside the maps, their rows and columns in tables."""

import json
import re
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from mtlaerial.errors import DataError
from mtlaerial.reporting.tables import write_tables
from mtlaerial.reporting.tables.collect import collect
from mtlaerial.scoring.checkerboard import (
    PERIODS,
    SpectrumSums,
    checkerboard_ratios,
    load_spectra,
    peak_ratio,
    save_spectra,
)
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.scores_file import load_scores, save_scores
from support.checkerboards import grid, roofs, spectra
from support.sample_scores import experiment


def sums(segments: int, peak: float = 1.0, direction: str = "across") -> SpectrumSums:
    """Return flat spectra of 64 pixels with a peak at 4 pixels."""
    power = [1.0 * segments] * 33
    power[16] *= peak
    return TypeAdapter(SpectrumSums).validate_python(
        {direction: [{"length": 64, "segments": segments, "power": power}]}
    )


def scored(*tiles: SpectrumSums) -> Scores:
    run = experiment()[-1]
    entry = next(iter(run.tiles.values()))
    entries = {f"t{number}": entry.model_copy(update={"checkerboard": each}) for number, each in enumerate(tiles)}
    return run.model_copy(update={"tiles": entries})


@pytest.mark.parametrize("exponent", [-4.0, -2.0, 0.0, 1.0])
def test_a_peak_is_measured_against_any_slope(exponent: float) -> None:
    slope = [max(frequency, 0.5) ** exponent for frequency in range(33)]
    for peak in (8, 16):
        assert peak_ratio(slope, peak) == pytest.approx(1, abs=0.15)
        lifted = [value * 9 if frequency == peak else value for frequency, value in enumerate(slope)]
        assert peak_ratio(lifted, peak) == pytest.approx(9 * peak_ratio(slope, peak))


def test_a_line_among_the_neighbours_does_not_count() -> None:
    power = [1.0] * 33
    power[12] = power[18] = 500
    power[15] = power[17] = 500  # the foot of the peak under a Hann window
    power[16] = 40
    assert peak_ratio(power, 16) == pytest.approx(40)


def test_the_direction_with_the_larger_ratio_counts() -> None:
    both = sums(60, 3) | sums(60, 7, "down")
    assert checkerboard_ratios([both]) == pytest.approx({2: 1, 4: 7, 8: 1, 16: 1})


def test_too_few_segments_have_no_ratio_until_tiles_are_pooled() -> None:
    assert checkerboard_ratios([]) == checkerboard_ratios([{}]) == checkerboard_ratios([sums(30, 9)]) == {}
    assert checkerboard_ratios([sums(30, 9), {}, sums(30, 1)])[4] == pytest.approx(5)


def test_a_file_beside_the_maps_keeps_the_sums(tmp_path: Path) -> None:
    measured = spectra(roofs(300) + grid(300, 4, 0.1))
    save_spectra(measured, tmp_path, "height")
    assert load_spectra(tmp_path, "height") == measured
    assert set(checkerboard_ratios([measured])) == set(PERIODS)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        json.dumps({"diagonal": {}}),
        json.dumps({"down": [{"length": 64, "segments": 60, "power": [1.0] * 32}]}),
        json.dumps({"down": [{"length": 64, "segments": -1, "power": [1.0] * 33}]}),
        json.dumps({"down": [{"length": 64, "segments": 60, "power": [0.0] * 33}]}),
        json.dumps({"down": [{"length": 66, "segments": 60, "power": [1.0] * 34}]}),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    assert load_spectra(tmp_path, "height") == {}
    (tmp_path / "checkerboard.json").write_text(content)
    with pytest.raises(DataError, match=r"checkerboard\.json: found .*; expected .*Predict again"):
        load_spectra(tmp_path, "height")


def test_scores_have_a_ratio_per_period_and_the_largest() -> None:
    table = collect([scored(sums(100, 5), sums(100, 3))])
    table = table[table.score.str.startswith("checkerboard") & (table.method == "joint")]
    values = table.set_index(["pooling", "score"])["value"]
    assert values["pooled", "checkerboard 4 px"] == values["pooled", "checkerboard"] == pytest.approx(4)
    assert values["tile mean", "checkerboard"] == pytest.approx((5 + 3) / 2)
    assert values["pooled", "checkerboard 8 px"] == pytest.approx(1)
    assert "checkerboard 32 px" not in set(table.score)


def test_the_table_of_everything_shows_ratios_as_they_are(tmp_path: Path) -> None:
    write_tables([scored(sums(100, 81.5)), *experiment()[:-1]], tmp_path)
    text = (tmp_path / "everything.md").read_text()
    assert re.search(r"\| checkerboard ratio at 4 px +\| +joint \| +81\.50 \(n = 1\) \|", text)
    assert "checkerboard ratio at 32 px" not in text
    rows = [line.split(",") for line in (tmp_path / "everything.csv").read_text().splitlines()]
    assert {row[rows[0].index("unit")] for row in rows if "checkerboard" in row} == {"ratio"}


def test_scores_from_before_the_ratio_have_none(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    save_scores(scored(sums(100, 5)), path)
    assert load_scores(path).tiles["t0"].checkerboard == sums(100, 5)
    data = json.loads(path.read_text())
    for tile in data["tiles"].values():
        del tile["checkerboard"]
    path.write_text(json.dumps(data))
    assert "checkerboard" not in set(collect([load_scores(path)]).score)

"""Short runs of all fuzzing targets: no traceback, crash or hang, and no large memory, whatever a file holds.

``python tests/fuzz/campaign.py TARGET --count 20000`` is a long one. A file that was a fault once belongs, mended, in
``kept/TARGET``.
"""

from pathlib import Path

import pytest

from support.fuzzing import fuzz, summary

HERE = Path(__file__).parent
CASES = {
    "checkpoints": 300,
    "configurations": 400,
    "descriptions": 300,
    "encoder_weights": 300,
    "rasters": 200,
    "zips": 300,
}
"""Cases of a short run of each target."""


@pytest.mark.full("hundreds of files, in a process of their own")
@pytest.mark.parametrize("target", CASES)
def test_whatever_a_file_holds_it_is_read_or_refused_in_a_sentence(target: str, tmp_path: Path) -> None:
    earlier_cases = sorted((HERE / "kept" / target).glob("*"))
    outcomes = fuzz(target, range(CASES[target]), tmp_path / "faults", earlier_cases)
    assert not any(outcome.faulty for outcome in outcomes), summary(outcomes)
    kinds = {outcome.kind for outcome in outcomes}
    assert kinds == {"accepted", "refused"}  # else the changes would not get far


def test_every_target_has_a_short_run() -> None:
    modules = {path.stem for path in HERE.glob("*.py")} - {"campaign", "test_fuzzing"}
    assert modules == set(CASES)

"""Worth of the shipped run: fine-tuned from it, a training is better than from random weights."""

from pathlib import Path

import pytest

from mtlaerial.runs.shipped import shipped_run
from support.paths import ROOT

UPDATES = 50
"""Half of those of the benchmark: a start from random weights is then as far behind or farther."""


@pytest.mark.full("four trainings of 50 updates")
def test_the_shipped_run_is_worth_to_start_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In both tasks and with each seed, though three of six classes and one of four bands are new to it."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import fine_tuning

    town = fine_tuning.generated_town(tmp_path)
    for seed in range(2):
        run, random = (
            fine_tuning.fine_tuned(shipped_run("town"), town, start, seed, UPDATES, tmp_path / f"{start}{seed}")
            for start in ("run", "random")
        )
        assert run["val_mIoU"] > random["val_mIoU"]
        assert run["val_MAE"] < random["val_MAE"]

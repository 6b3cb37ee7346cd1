"""Scores on ground that the run has seen carry a note, and so do tables."""

from pathlib import Path

import pytest

from mtlaerial.reporting.folds import Evaluation, pool_folds
from mtlaerial.reporting.tables import write_tables
from mtlaerial.runs.prepared_ground import training_ground
from mtlaerial.runs.start import StartRecord
from mtlaerial.scoring.run_scores import score_run
from mtlaerial.scoring.scores import Scores
from support.scored_maps import SCORING, Run
from support.small_runs import placed_run


@pytest.mark.full("scores and tables of a run")
def test_tables_note_ground_that_a_run_before_was_trained_on(run: Run, chosen: list[Path], tmp_path: Path) -> None:
    ground = training_ground(chosen[:1], "elsewhere", generated=False)
    start = StartRecord(kind="run", name="elsewhere/equal/seed0", sha256="0", ground=ground)
    placed_run(run.folder, run.folder, [], start=start.model_dump(mode="json"))
    scores = score_run(run.folder, chosen, SCORING)
    (note,) = scores.ground
    assert note.endswith(f"may be too high: {chosen[0].name}.")
    assert Scores.model_validate_json(scores.model_dump_json()).ground == (note,)
    evaluation = Evaluation(folds=(scores.dataset,), protocol="left out")
    write_tables(pool_folds([scores], {"whole": evaluation}), tmp_path / "tables")
    assert note in (tmp_path / "tables/whole.md").read_text().replace("\\", "")


def test_own_ground_is_noted_too(run: Run, chosen: list[Path]) -> None:
    assert score_run(run.folder, chosen, SCORING).ground == ()
    placed_run(run.folder, run.folder, chosen[1:])
    (note,) = score_run(run.folder, chosen, SCORING).ground
    assert "on ground that it was trained on" in note
    assert note.endswith(f": {chosen[1].name}.")

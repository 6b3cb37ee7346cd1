"""Lines of a report on the weights that trainings began with."""

from pathlib import Path

from mtlaerial.reporting.initial_weights import initial_weights
from mtlaerial.runs.run import load_description, write_description
from mtlaerial.runs.start import StartRecord


def test_each_origin_is_listed_once_with_the_data_set_of_its_fold(run_folder: Path, tmp_path: Path) -> None:
    run = load_description(run_folder)
    records = {name: StartRecord(kind="published", name=name[0], sha256="ab" * 32) for name in ("a1", "a2", "b1")}
    for name, record in {**records, "random": None}.items():
        (tmp_path / name).mkdir()
        plan = run.plan.model_copy(update={"dataset": "city.north"})
        write_description(tmp_path / name, run.model_copy(update={"start": record, "plan": plan}))
    folders = [tmp_path / name for name in ("a1", "a2", "b1", "random")]
    lines = initial_weights(folders, {"city.north": "city"})
    assert lines == {"city": [records["a1"].text, records["b1"].text]}

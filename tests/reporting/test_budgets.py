"""Lines of the report on budgets: one per method, and more where its seeds differ."""

from pathlib import Path

from mtlaerial.reporting.budgets import budgets
from mtlaerial.runs.budget import Budget
from mtlaerial.runs.run import load_description, write_description
from support.rates import budget_plan, rate_of


def described(run_folder: Path, folder: Path, dataset: str, seed: int, updates: int | None) -> Path:
    """Write the description of a run with a budget, or without one."""
    description = load_description(run_folder)
    rate = rate_of(budget_plan(), 2.0)
    budget = Budget(minutes=1, updates=updates, rate=rate, machine=rate.machine) if updates else None
    plan = description.plan.model_copy(update={"dataset": dataset, "seed": seed})
    path = folder / f"{dataset}{seed}"
    path.mkdir()
    write_description(path, description.model_copy(update={"plan": plan, "budget": budget}))
    return path


def test_seeds_with_different_numbers_of_updates_have_lines_of_their_own(run_folder: Path, tmp_path: Path) -> None:
    runs = [("town", 0, 30), ("town", 1, 30), ("town", 2, 24), ("city", 0, None), ("hill.north", 0, 27)]
    folders = [described(run_folder, tmp_path, *run) for run in runs]
    lines = budgets(folders, {"hill.north": "hill"})
    assert [line.split(" updates")[0] for line in lines["town"]] == [
        "equal, seed 0, 1 (the seeds differ): 1 core-minutes: 30",
        "equal, seed 2 (the seeds differ): 1 core-minutes: 24",
    ]
    assert lines["city"] == []
    (fold,) = lines["hill"]
    assert fold.startswith("equal (hill.north): 1 core-minutes: 27 updates")

"""All weightings, each against a value worked out independently, and against every other."""

import itertools
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from typer.testing import CliRunner

import references_gramian
import references_losses
import references_rows
import tiny
from mtlaerial.cli import app
from mtlaerial.config.weighting import WEIGHTINGS, weighting_targets
from mtlaerial.errors import ConfigError
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.train import train
from mtlaerial.weighting import weighting_class
from mtlaerial.weighting.listing import explain_weighting, list_weightings
from problem import TASKS, Problem, update, weighting

Folders = dict[str, list[Path]]
NAMES = sorted(WEIGHTINGS)
REFERENCES = {**references_losses.REFERENCES, **references_gramian.REFERENCES, **references_rows.REFERENCES}
ALIKE = [{"equal", "dwa", "imtl_l"}, {"rlw", "rgw"}, {"imtl", "imtl_g"}]
"""The same in the trunk as long as no epoch ends and nothing is learned by the optimiser; see their lives below."""


def problems() -> list[Problem]:
    """Return two whose tasks agree, and two whose tasks conflict."""
    return [Problem(seed) for seed in (2, 9, 16, 24)]


def updates(name: str) -> list[Tensor]:
    """Return the trunk's gradients of successive updates."""
    method, found = weighting(name), []
    for number, problem in enumerate(problems()):
        torch.manual_seed(number)
        update(method, problem)
        assert problem.trunk.grad is not None
        found.append(problem.trunk.grad)
    return found


def distance(ones: list[Tensor], others: list[Tensor]) -> float:
    """Return by how much updates differ, relative to their length; the largest of all."""
    return max(float((one - other).norm() / other.norm()) for one, other in zip(ones, others, strict=True))


@pytest.fixture(scope="module")
def found() -> dict[str, list[Tensor]]:
    return {name: updates(name) for name in NAMES}


@pytest.fixture(scope="module")
def expected() -> dict[str, list[Tensor]]:
    return {name: REFERENCES[name](problems()) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_each_update_is_the_one_that_was_worked_out(
    found: dict[str, list[Tensor]], expected: dict[str, list[Tensor]], name: str
) -> None:
    assert distance(found[name], expected[name]) < 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_leads_to_another_weighting_is_noticed(
    found: dict[str, list[Tensor]], expected: dict[str, list[Tensor]], name: str
) -> None:
    for other in NAMES:
        if other != name and not any({name, other} <= group for group in ALIKE):
            assert distance(found[other], expected[name]) > 3e-3, other


def life(name: str) -> Tensor:
    """Return all gradients of some epochs in which everything happens that can make weightings differ."""
    method, gradients = weighting(name), []
    optimiser = torch.optim.SGD(method.parameters(), lr=0.1) if method.parameters() else None
    for number, problem in enumerate(problems()):
        torch.manual_seed(number)
        update(method, problem)
        gradients += [problem.trunk.grad, *(head.grad for head in problem.heads.values())]
        if optimiser:
            optimiser.step()
        if method.looks_again:
            method.observe(problem.losses() * torch.tensor([0.5, 1.0]))
        method.end_epoch()
    return torch.cat([gradient.flatten() for gradient in gradients if gradient is not None])


def test_no_two_weightings_have_the_same_life() -> None:
    lives = {name: life(name) for name in NAMES}
    for one, other in itertools.combinations(NAMES, 2):
        assert (lives[one] - lives[other]).norm() > 1e-2 * lives[one].norm(), (one, other)


@pytest.mark.parametrize("name", NAMES)
def test_a_task_without_truth_does_not_stop_the_other(name: str) -> None:
    problem = Problem(7, scales=(1.0, 0.0))
    method = weighting(name)
    found = update(method, problem)
    assert found.isfinite().all()
    assert problem.trunk.grad is not None
    assert problem.trunk.grad.abs().max() > 1e-3
    if name != "gradient_penalty":
        direction = problem.gradients("parameters", method.batches - 1)[0]  # the batch that the update follows
        one, other = direction.flatten().double(), problem.trunk.grad.flatten().double()
        torch.testing.assert_close(float(torch.nn.functional.cosine_similarity(one, other, dim=0)), 1.0)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_to_learn_is_no_update(name: str) -> None:
    problem = Problem(7, scales=(0.0, 0.0))
    assert update(weighting(name), problem).isfinite().all()
    if name != "gradient_penalty":
        assert problem.trunk.grad is not None
        assert not problem.trunk.grad.any()


@pytest.mark.parametrize("name", NAMES)
def test_gradients_scaled_for_half_precision_give_the_same_weights(name: str) -> None:
    plain, scaled = Problem(8), Problem(8)
    methods = weighting(name), weighting(name)
    for seed in range(3):
        torch.manual_seed(seed)
        expected = update(methods[0], plain)
        torch.manual_seed(seed)
        found = update(methods[1], scaled, scale=lambda loss: 1024 * loss)
    torch.testing.assert_close(found, expected)
    assert plain.trunk.grad is not None
    torch.testing.assert_close(scaled.trunk.grad, 1024 * plain.trunk.grad)


@pytest.mark.parametrize("name", NAMES)
def test_each_trains_in_half_precision_with_passes_and_short_gradients(
    tiles: Folders, statistics: Statistics, tmp_path: Path, name: str
) -> None:
    options = {"weights": {"semantics": 1, "height": 0.5}} if name == "fixed" else {}
    plan = tiny.run_plan(
        weighting={"name": name, **options}, precision="bf16-mixed", batch=4, accumulate=2, clip_norm=1.0, epochs=2
    )
    train(tiny.job(plan, statistics, tiles["train"], [], tmp_path / "run"))
    weights = load_file(tmp_path / "run" / "model.safetensors")
    assert all(tensor.isfinite().all() for tensor in weights.values())
    history = pd.read_csv(tmp_path / "run" / "history.csv")
    shown = history[["weight_semantics", "weight_height", "norm_semantics", "norm_height"]]
    assert (shown.abs() < 1e6).all(axis=None)


def test_there_is_a_list_of_all() -> None:
    lines = list_weightings().splitlines()
    rows = [line for line in lines if line.split("  ")[0] in NAMES]
    assert len(rows) == len(NAMES) >= 28
    for name in NAMES:
        method = weighting_class(name)
        (row,) = (line for line in rows if line.split()[0] == name)
        assert method.family in row
        assert method.paper in row
    answer = CliRunner().invoke(app, ["weightings"])
    assert answer.output.splitlines() == lines


@pytest.mark.parametrize("name", NAMES)
def test_each_is_explained(name: str) -> None:
    text, method = explain_weighting(name), weighting_class(name)
    assert method.paper in text
    assert method.cost
    for key, field in method.Options.model_fields.items():
        assert re.search(rf"^  {key} \((default|required)", text, re.MULTILINE)
        assert key == "level" or field.description
    if method.family != "constant":
        assert re.search(r"arXiv\s\d{4}\.\d{5}|doi\s10\.|https://", text), "where it was published"


def test_a_misspelt_name_or_option_is_told() -> None:
    with pytest.raises(ConfigError, match=r"'cagrd'.*Did you mean cagrad\?"):
        weighting_class("cagrd")
    with pytest.raises(ConfigError, match=r"key name.*Did you mean cagrad"):
        weighting("cagrd")
    with pytest.raises(ConfigError, match=r"weighting cagrad, key k: found an unknown key; expected one of c, level"):
        weighting("cagrad", k=1)
    with pytest.raises(ConfigError, match=r"weighting mgda, key level"):
        weighting("mgda", level="features")
    with pytest.raises(ConfigError, match=r"key weights: found height 2; expected a positive weight for exactly"):
        weighting("fixed", weights={"height": 2})


@pytest.fixture
def other_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Install the worked example of the documentation as a package of its own; return the name it registers."""
    text = (Path(__file__).parents[1] / "docs" / "weighting.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (line,) = re.findall(r'^(\w+) = "(\w+):(\w+)"$', text, re.MULTILINE)
    name, module, attribute = line
    (tmp_path / f"{module}.py").write_text(code, encoding="utf-8")
    info = tmp_path / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[mtlaerial.weightings]\n{name} = {module}:{attribute}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_another_package_brings_a_weighting(
    other_package: str, tiles: Folders, statistics: Statistics, tmp_path: Path
) -> None:
    assert other_package not in NAMES
    assert other_package in weighting_targets()
    assert other_package in list_weightings()
    problem, method = Problem(3), weighting(other_package)
    weights = update(method, problem)
    gradients = problem.gradients("features")
    norms = torch.stack([gradient.norm() for gradient in gradients])
    torch.testing.assert_close(weights, norms.min() / norms)
    history: Any = None
    train(
        tiny.job(
            tiny.run_plan(weighting={"name": other_package}, epochs=1), statistics, tiles["train"], [], tmp_path / "run"
        )
    )
    history = pd.read_csv(tmp_path / "run" / "history.csv")
    assert history[[f"weight_{task}" for task in TASKS]].max(axis=None) == pytest.approx(1)

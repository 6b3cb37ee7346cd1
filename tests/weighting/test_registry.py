"""The list of weightings: names, explanations, and weightings of other packages."""

import itertools
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from mtlaerial.cli import app
from mtlaerial.config.weighting import REGISTRY, WEIGHTINGS, WeightingSpec, batches_per_update
from mtlaerial.errors import ConfigError
from mtlaerial.weighting import weighting_class
from mtlaerial.weighting.listing import FIRST, explain_weighting, list_weightings
from support.weighting_options import DEFAULTS
from support.weighting_problem import Problem, train, update, weighting
from support.weighting_references import REFERENCES


def test_contract_and_references_are_complete() -> None:
    assert len(WEIGHTINGS) == 35
    assert set(DEFAULTS) == set(REFERENCES) == set(WEIGHTINGS)


def test_every_weighting_trains_differently() -> None:
    lives = {}
    for name in WEIGHTINGS:
        method = weighting(name)
        # Tasks agree in the first two problems, and conflict in the last two.
        outcomes = [train(method, Problem(seed), 2 * number + 1) for number, seed in enumerate((2, 9, 16, 24))]
        lives[name] = torch.cat([gradient.flatten() for o in outcomes for gradient in (o.trunk, *o.heads)])
    for first, second in itertools.combinations(lives, 2):
        assert (lives[first] - lives[second]).norm() > 1e-2 * lives[first].norm(), (first, second)


def test_problems_hold_agreement_and_conflict() -> None:
    for level in ("parameters", "features"):
        products = torch.stack([Problem(seed).gramian(level)[0, 1] for seed in range(8)])
        assert (products > 0).any()
        assert (products < 0).any()


def test_all_are_listed() -> None:
    lines = list_weightings().splitlines()
    rows = {line.split()[0]: line for line in lines if line.split("  ")[0] in WEIGHTINGS}
    assert list(rows)[: len(FIRST)] == list(FIRST)
    assert set(rows) == set(WEIGHTINGS)
    text = " ".join(" ".join(lines).split())
    for name, row in rows.items():
        method = weighting_class(name)
        assert method.family in row
        assert method.paper in row
        assert method.cost == "none" or f"cost: {method.cost}" in text
        assert method.state == "none" or f"state: {method.state}" in text
    assert max(map(len, lines)) <= 100
    assert CliRunner().invoke(app, ["weightings"]).output.splitlines() == lines


def test_each_is_explained_by_its_publication() -> None:
    for name in WEIGHTINGS:
        text, method = explain_weighting(name), weighting_class(name)
        assert method.paper in text
        assert method.cost in text
        published = re.search(r"arXiv\s\d{4}\.\d{5}|doi\s10\.|https://", text)
        assert published or method.family == "constant", name


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: weighting_class("cagrd"), r"'cagrd'.*Did you mean cagrad\?"),
        (lambda: weighting("cagrd"), r"key name.*Did you mean cagrad"),
        (
            lambda: weighting("cagrad", k=1),
            "weighting cagrad, key k: found an unknown key; expected one of c, every, level",
        ),
        (lambda: weighting("fixed", weights={"height": 2}), "found height 2; expected a positive weight for exactly"),
        (
            lambda: weighting("config", preferences={"height": 2, "semantics": -1}),
            "key preferences: found height 2, semantics -1; expected a positive preference for exactly the tasks",
        ),
    ],
)
def test_a_wrong_name_or_option_is_refused_with_the_right_one(build: Callable[[], object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        build()


def install(folder: Path, module: str, code: str, entry: str) -> None:
    """Write a package of one module that registers a weighting."""
    (folder / f"{module}.py").write_text(code, encoding="utf-8")
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[mtlaerial.weightings]\n{entry}\n", encoding="utf-8")


@pytest.fixture
def other_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Install the documentation's example as a package; return the name that it registers."""
    text = (Path(__file__).parents[2] / "docs" / "weighting.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (line,) = re.findall(r'^(\w+) = "(\w+):(\w+)"$', text, re.MULTILINE)
    name, module, attribute = line
    install(tmp_path, module, code, f"{name} = {module}:{attribute}")
    monkeypatch.syspath_prepend(tmp_path)
    return name


BROKEN = {
    "raising": ("raise RuntimeError('no licence')", "RuntimeError: no licence; expected an object at raising:Method"),
    "leaving": ("raise SystemExit('no licence')", "SystemExit: no licence; expected an object at leaving:Method"),
    "absent": ("", "AttributeError: module 'absent' has no attribute 'Method'"),
    "number": ("Method = 1", "number:Method; expected a subclass of mtlaerial.weighting.Weighting"),
    "nameless": (
        "from mtlaerial.weighting import LossWeighting\nclass Method(LossWeighting):\n    paper = 2026",
        "paper 2026; expected the attributes family, paper, cost and state, texts",
    ),
    "optionless": (
        "from mtlaerial.weighting import LossWeighting\nclass Method(LossWeighting):\n    paper, Options = 'p', None",
        "Options None; expected the attributes family, paper, cost and state, texts; and Options, a Section",
    ),
}
"""Code of broken packages, and what is said of them."""


def test_broken_packages_are_named_below_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, (code, _) in BROKEN.items():
        install(tmp_path, name, code, f"{name} = {name}:Method")
    install(tmp_path, "whole", "import mtlaerial.weighting.methods.gls as gls", "whole = whole:gls.GLS")
    monkeypatch.syspath_prepend(tmp_path)
    text = " ".join(list_weightings().split())
    assert f"{len(WEIGHTINGS) + 1} weightings." in text
    for name, (_, problem) in BROKEN.items():
        assert f"Broken: weighting {name}: found {problem}" in text
    assert batches_per_update("raising") is batches_per_update("absent") is batches_per_update("unknown") is None
    assert (
        update(weighting("whole"), Problem(0)).weights.tolist() == update(weighting("gls"), Problem(0)).weights.tolist()
    )


def test_the_documentation_begins_with_the_same_weightings_as_the_list() -> None:
    text = (Path(__file__).parents[2] / "docs" / "weighting.md").read_text(encoding="utf-8")
    start, comparison = text.split("## Where to begin")[1].split("## For comparison")[:2]
    assert re.findall(r"^\| `(\w+)` \|", start, re.MULTILINE) == list(FIRST)
    others = re.findall(r"^\| `(\w+)` \|", comparison.split("\n## ")[0], re.MULTILINE)
    assert sorted([*others, *FIRST]) == sorted(WEIGHTINGS)


def test_another_package_brings_a_weighting(other_package: str) -> None:
    assert other_package not in WEIGHTINGS
    assert other_package in REGISTRY.targets()
    assert other_package in list_weightings()
    assert batches_per_update(other_package) == 1
    problem = Problem(3)
    norms: Tensor = problem.gramian("features").diagonal().sqrt().float()
    torch.testing.assert_close(update(weighting(other_package), problem).weights, norms.min() / norms)


def test_the_batches_per_update_are_those_of_the_weightings() -> None:
    for name in WEIGHTINGS:
        assert batches_per_update(name) == weighting_class(name).batches, name


def test_the_level_of_a_method_is_that_of_its_class_or_the_chosen_one() -> None:
    for name in WEIGHTINGS:
        field = weighting_class(name).Options.model_fields.get("level")
        assert WeightingSpec(name=name).working_level == (field.default if field else None), name
    assert WeightingSpec.parse({"name": "pcgrad", "level": "features"}, "weighting").working_level == "features"

"""The names that ``import mtlaerial`` offers."""

import doctest
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import mtlaerial
from mtlaerial import models

SOURCES = Path(mtlaerial.__file__).parent
WITH_EXAMPLES = [
    ".".join(path.relative_to(SOURCES.parent).with_suffix("").parts)
    for path in sorted(SOURCES.rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", mtlaerial.__all__)
def test_public_names_resolve_and_are_documented(name: str) -> None:
    assert getattr(mtlaerial, name).__doc__
    assert name in dir(mtlaerial)


@pytest.mark.parametrize("name", models.__all__)
def test_names_for_authors_of_networks_resolve_and_are_documented(name: str) -> None:
    assert getattr(models, name).__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'predict_everything'"):
        getattr(mtlaerial, "predict_" + "everything")


def test_the_package_is_imported_without_torch() -> None:
    code = "import sys, mtlaerial; print('torch' in sys.modules, 'rasterio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_in_docstrings_give_what_they_show(module: str) -> None:
    results = doctest.testmod(importlib.import_module(module))
    assert results.attempted
    assert not results.failed

"""The notebooks of docs run from their first cell to their last, and are kept without outputs.

Their cells are plain Python, so that they run here without Jupyter's kernel, which would bring 26 packages.
"""

import ast
import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest

from support.paths import ROOT
from support.without_torch import needs_torch

NOTEBOOKS = sorted((ROOT / "docs/notebooks").glob("*.ipynb"))


def code_cells(path: Path) -> list[dict[str, Any]]:
    """Return the cells with code of a notebook."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def run_cell(source: str, names: dict[str, Any]) -> Any:
    """Run a cell, and return the value of its last line as a notebook shows it; None where that is no expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if isinstance(last, ast.Expr) else None


def test_there_is_a_notebook() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs_and_has_valid_code(path: Path) -> None:
    for cell in code_cells(path):
        assert (cell["outputs"], cell["execution_count"]) == ([], None)
        ast.parse("".join(cell["source"]))


@needs_torch
@pytest.mark.full("trains")
def test_the_first_notebook_goes_from_data_to_maps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[int] = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(len(plt.gcf().axes)))
    monkeypatch.setattr("tempfile.mkdtemp", lambda: str(tmp_path))
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    values = [run_cell("".join(cell["source"]), names) for cell in code_cells(ROOT / "docs/notebooks/first_maps.ipynb")]
    plt.close("all")
    assert shown == [2, 2]
    assert values[1] is True
    tiles, cells = values[-2]
    assert tiles == ["city_6", "city_7"]
    assert cells > 10_000
    assert {"height.tif", "semantics.tif"} <= set(values[-1])

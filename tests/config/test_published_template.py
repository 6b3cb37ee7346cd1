"""The commented template for the paper's tables at the end of both specifications."""

import re
from pathlib import Path

import pytest

from mtlaerial.config import load_dataset, load_project
from mtlaerial.errors import ConfigError
from support.tiny import CONFIG


def uncommented(dataset: str, folder: Path, number: str) -> Path:
    """Return a copy of a specification with its template in force, as the documentation's command makes it."""
    text = (CONFIG / "datasets" / f"{dataset}.yaml").read_text()
    (page,) = re.findall(r"sed -i -E 's/(.+?)/\\1/'", (CONFIG.parent / "docs" / "reproduction.md").read_text())
    path = folder / f"{dataset}.yaml"
    path.write_text(re.sub(page, r"\1", text, flags=re.MULTILINE).replace("TODO", number))
    return path


@pytest.mark.parametrize("dataset", ["dfc2018", "vaihingen"])
def test_the_template_has_an_entry_for_each_trained_row(dataset: str, tmp_path: Path) -> None:
    entries = load_dataset(uncommented(dataset, tmp_path, "0.5")).published
    rows = {entry.name.removeprefix("paper "): entry for entry in entries if entry.name.startswith("paper ")}
    assert set(rows) == set(load_project(CONFIG / "config.yaml").run.methods) - {"equal_dropout", "equal_noskips"}
    assert all(entry.source.startswith("Carvalho et al. 2019, table ") for entry in rows.values())
    assert all(entry.error_unit is entry.pooling is entry.split is None for entry in rows.values())
    assert len(entries) - len(rows) == len(load_dataset(CONFIG / "datasets" / f"{dataset}.yaml").published)


def test_a_number_that_is_not_filled_in_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"published\.0\.scores\.OA: found 'TODO'; expected a number"):
        load_dataset(uncommented("dfc2018", tmp_path, "TODO"))

"""Marked blocks of docs/results.md: as the finished rows say, and filled where they are not."""

from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "results.md"


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import results

    return results


def test_tables_of_the_page_are_those_of_its_rows(results: Any) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert "<!-- equal_minutes: " in text
    assert results.differing_blocks(text) == [], "make results"


def test_changed_number_is_noticed_and_mended(results: Any) -> None:
    text = PAGE.read_text(encoding="utf-8")
    block = results.BLOCK.search(text)
    digit = next(place for place in range(block.start(), block.end()) if text[place : place + 2] == "| ")
    changed = text[: digit + 2] + "9" + text[digit + 2 :]
    assert results.differing_blocks(changed) == [f"{block['study']}: {block['panel']}"]
    assert results.filled(changed) == text


def test_unknown_table_is_refused_by_name(results: Any) -> None:
    with pytest.raises(results.ConfigError, match=r"found the block equal_minutes: nothing; expected one of autzen"):
        results.filled("<!-- equal_minutes: nothing -->\n<!-- end -->")

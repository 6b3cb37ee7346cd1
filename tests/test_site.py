"""The documentation site: its pages, their links, and the names of the API reference."""

import re
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

import mtlaerial
from support.without_torch import needs_torch

ROOT = Path(__file__).parents[1]
STAGE = SimpleNamespace(**runpy.run_path(str(ROOT / "docs/site/stage_pages.py")))
WRITTEN_BY_TYPER = {"commands.md"}


def sections() -> list[dict[str, Any]]:
    """Return the sections of the navigation of the site."""
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    return list(yaml.safe_load(text[text.index("\nnav:") :])["nav"])


def navigation() -> set[str]:
    """Return the pages in the navigation of the site."""
    entries = _entries(sections())
    assert len(entries) == len(set(entries))
    return set(entries)


def _entries(part: Any) -> list[str]:
    if isinstance(part, str):
        return [part]
    return [page for entry in part for below in entry.values() for page in _entries(below)]


def test_the_navigation_leads_to_every_page_once() -> None:
    assert navigation() == {*STAGE.pages().values(), *WRITTEN_BY_TYPER}


def test_links_to_pages_stay_on_the_site_and_others_lead_to_the_source() -> None:
    readme = STAGE.staged_text("README.md")
    assert "](configuration.md)" in readme  # config/README.md
    assert "](own-data.md)" in readme
    assert f"]({STAGE.SOURCE}/CITATION.cff)" in readme
    assert "](own-data.md" in STAGE.staged_text("config/README.md")
    assert "](images/qgis.webp)" in STAGE.staged_text("docs/maps.md")


def test_a_link_to_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/page.md").write_text("[it](../nowhere.txt)")
    monkeypatch.setitem(STAGE.staged_text.__globals__, "ROOT", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"docs/page\.md: the link \.\./nowhere\.txt"):
        STAGE.staged_text("docs/page.md")


FENCE = re.compile(r"(?ms)^( *)(```|~~~).*?^\1\2 *$")
ITEM = re.compile(r"(?:[-*]|\d+\.) ")


def swallowed_lists(text: str) -> list[str]:
    """Return the first line of each list that Python-Markdown takes for more text of the paragraph above it.

    A list needs an empty line before it, and so does its next item after an item of several paragraphs.
    """
    blocks = re.split(r"\n[ \t]*\n", FENCE.sub("", text))
    paragraphs = [block.strip("\n").splitlines() for block in blocks if block.strip()]
    outside = [lines for lines in paragraphs if not ITEM.match(lines[0].lstrip())]
    return [line for lines in outside for line in lines[1:] if ITEM.match(line)]


def test_lists_that_the_site_would_run_into_a_paragraph_are_seen() -> None:
    assert swallowed_lists("- one\n\n    more\n- two") == ["- two"]
    assert swallowed_lists("text:\n1. one") == ["1. one"]
    assert swallowed_lists("- one\n- two\n\n    more\n\n- three\n\ntext\n\n- one\n\n```text\na\n- b\n```\n") == []


@pytest.mark.parametrize("page", STAGE.pages())
def test_every_list_of_a_page_is_a_list_on_the_site(page: str) -> None:
    assert swallowed_lists(STAGE.staged_text(page)) == []


def test_questions_are_one_click_from_every_page() -> None:
    assert {"Questions": "faq.md"} in sections()


SHORT = 100
"""Lines of a page that is read at a sitting."""


@pytest.mark.parametrize("section", sections(), ids=lambda section: next(iter(section)))
def test_a_section_begins_with_a_short_page(section: dict[str, Any]) -> None:
    first = _entries([section])[0]
    (page,) = [page for page, name in STAGE.pages().items() if name == first]
    assert len((ROOT / page).read_text(encoding="utf-8").splitlines()) <= SHORT


@needs_torch
def test_the_api_reference_has_all_public_names_and_no_name_that_is_gone() -> None:
    modules = vars(mtlaerial)["_MODULES"]
    public = {f"{module}.{name}" for name, module in modules.items()}
    references = set(re.findall(r"(?m)^::: (\S+)$", (ROOT / "docs/api.md").read_text(encoding="utf-8")))
    assert public <= references
    assert {name for name in references - public if not _resolves(name)} == set()


def _resolves(name: str) -> bool:
    module, attribute = name.rsplit(".", 1)
    return hasattr(__import__(module, fromlist=[attribute]), attribute)

"""Pages on the original: its code by file and line, one name of its repository, and no claim on the paper."""

import re
from collections.abc import Iterator

import pytest

from support.paths import ROOT

PAGE = ROOT / "docs" / "reproduction.md"
REPOSITORY = "marcelampc/mtl_aerial_images"
PLACE = re.compile(r"`[\w/]+\.(?:py|sh):[1-9]\d*`")
UNPUBLISHED = ("measure_raster.py", "measure_raster_semantics.py")
"""Files that neither the original's tree nor its history holds."""
OF_THE_CODE = r"paper's (?:own |whole )?(?:windows?|rows?|recipe|network|protocol|size|mask|layouts?|data sets?)"
"""What comes from the original's code, and must not be called the paper's."""


def sources() -> Iterator[tuple[str, str]]:
    """Yield name and text of each file of the repository but the change log, which tells of the past."""
    folders = ("benchmarks", "config", "docs", "profiles", "src", "tests", "workflow")
    files = [*ROOT.glob("*.*"), *(path for folder in folders for path in (ROOT / folder).rglob("*.*"))]
    for path in files:
        if path.suffix in {".md", ".py", ".yaml", ".smk", ".toml", ".json", ".cff"} and path.name != "CHANGELOG.md":
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def differences() -> list[list[str]]:
    """Return the rows of the table of differences, without its header."""
    section = PAGE.read_text(encoding="utf-8").split("## 5. Differences from the original\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_original_s_repository_has_one_name() -> None:
    other = [name for name, text in sources() if re.search(r"marcelampc/(?!mtl_aerial_images\b)", text)]
    assert [name for name in other if name != "tests/test_reproduction_page.py"] == []
    assert REPOSITORY in PAGE.read_text(encoding="utf-8")


def test_nothing_of_the_original_s_code_is_called_the_paper_s() -> None:
    assert [name for name, text in sources() if re.search(OF_THE_CODE, text)] == []


@pytest.mark.parametrize("page", ["README.md", "docs/reproduction.md", "config/config.yaml"])
def test_pages_say_that_the_paper_was_not_available(page: str) -> None:
    text = " ".join((ROOT / page).read_text(encoding="utf-8").replace("#", " ").split())
    assert re.search(r"The paper's text and tables were not available.*? nothing here claims to match", text)


@pytest.mark.parametrize("row", differences(), ids=lambda row: row[0])
def test_each_difference_has_a_file_and_a_line_of_the_original(row: list[str]) -> None:
    assert len(row) == 4, row
    assert PLACE.search(row[3]), row[3]
    assert not re.search(r"`[\w/]+\.(?:py|sh)`", row[3]), "a file without a line"


def test_not_published_is_said_of_what_the_history_lacks_too() -> None:
    cells = [cell for row in differences() for cell in row if "not published" in cell]
    assert [name for name in UNPUBLISHED if not any(f"`{name}`" in cell for cell in cells)] == []
    assert len(cells) == len(UNPUBLISHED)

"""The Markdown pages: links, named paths and names of the library exist, and the diagram agrees with the imports."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "mtlaerial"
FOLDERS = (".", "docs", "docs/tutorials", "config")
PAGES = sorted(page for folder in FOLDERS for page in (ROOT / folder).glob("*.md"))
ARCHITECTURE = ROOT / "docs" / "architecture.md"
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]+))?\)")
PATH = re.compile(
    r"(?<![\w./<-])(?:\.ci|benchmarks|config|docs|envs|profiles|src|tests|workflow)/[\w./-]*\w(?![\w-]*[{*…<])"
)
NAME = re.compile(r"\bmtlaerial(?:\.[A-Za-z_]\w*)+")
EXAMPLE = re.compile(r"(^|/)(my_|NAME\b|RULE\b)")
"""Files that a reader writes, and placeholders."""
NO_MODULES = {
    *(f"mtlaerial.{group}" for group in ("encoders", "loggers", "networks", "published", "weightings")),
    *("mtlaerial.tar", "mtlaerial.sif"),
}
"""Groups of entry points, and two files of a container."""


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def names(tree: ast.Module) -> set[str]:
    """Return the names that a module defines or imports at its top level, those for type checkers too."""
    defined = set()
    guarded = [statement for node in tree.body if isinstance(node, ast.If) for statement in node.body]
    for node in [*tree.body, *guarded]:
        match node:
            case ast.ClassDef() | ast.FunctionDef():
                defined.add(node.name)
            case ast.Import() | ast.ImportFrom():
                defined |= {alias.asname or alias.name for alias in node.names}
            case ast.Assign():
                defined |= {target.id for target in node.targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                defined.add(name)
    return defined


def exists(dotted: str) -> bool:
    """Tell whether a dotted name leads to a package, a module, or a name in one; members of classes are not checked."""
    place = PACKAGE
    for part in dotted.split(".")[1:]:
        if (place / part).is_dir():
            place = place / part
        elif (place / f"{part}.py").is_file():
            place = place / f"{part}.py"
        else:
            module = place / "__init__.py" if place.is_dir() else place
            return part in names(ast.parse(module.read_text(encoding="utf-8")))
    return True


def imports() -> Iterator[tuple[str, str]]:
    """Yield each import between two packages of the library, as (importing, imported)."""
    for path in PACKAGE.glob("*/**/*.py"):
        room = path.relative_to(PACKAGE).parts[0]
        for line in re.findall(r"^\s*(?:from|import) mtlaerial\.(\w+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            if line != room:
                yield room, line


def diagram() -> str:
    """Return the diagram of the packages."""
    (text,) = re.findall(r"```mermaid\n(.*?)```", ARCHITECTURE.read_text(encoding="utf-8"), re.DOTALL)
    return str(text)


def floors() -> dict[str, int]:
    """Return the floor of each package."""
    groups = re.findall(r"subgraph f(\d+) .*?\n(.*?)\n    end", diagram(), re.DOTALL)
    return {room: int(floor) for floor, rooms in groups for room in re.findall(r"^\s*(\w+)", rooms, re.MULTILINE)}


def arrows() -> set[tuple[str, str]]:
    """Return the arrows of the diagram, as (from, to)."""
    pairs = re.findall(r"^\s*(\w+) --> ([\w &]+)$", diagram(), re.MULTILINE)
    return {(source, target.strip()) for source, targets in pairs for target in targets.split("&")}


def below(room: str, edges: set[tuple[str, str]]) -> set[str]:
    """Return all packages that arrows lead to from one."""
    direct = {target for source, target in edges if source == room}
    return direct.union(*(below(target, edges) for target in direct))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        file = (page.parent / target) if target else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), f"{target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_named_paths_exist(page: Path) -> None:
    paths = {path for path in PATH.findall(page.read_text(encoding="utf-8")) if not EXAMPLE.search(path)}
    assert sorted(path for path in paths if not (ROOT / path).exists()) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_named_modules_and_functions_exist(page: Path) -> None:
    dotted = set(NAME.findall(page.read_text(encoding="utf-8"))) - NO_MODULES
    assert sorted(name for name in dotted if not exists(name)) == []


def rule_table() -> dict[str, tuple[str, str]]:
    """Return the cells with rooms and entry functions of each rule, as the table of the architecture has them."""
    rows = re.findall(r"^\| `(\w+)` \|(.*?)\|(.*?)\|.*\|.*\|$", ARCHITECTURE.read_text(encoding="utf-8"), re.MULTILINE)
    return {rule: (rooms, entries) for rule, rooms, entries in rows}


def test_table_of_architecture_names_every_rule_and_script() -> None:
    rules = set()
    for file in (ROOT / "workflow" / "rules").glob("*.smk"):
        rules |= set(re.findall(r"^\s*rule (\w+):", file.read_text(encoding="utf-8"), re.MULTILINE))
    assert set(rule_table()) == rules
    assert sorted(rule for rule in rules if not (ROOT / "workflow" / "scripts" / f"{rule}.py").exists()) == []


@pytest.mark.parametrize("rule", rule_table())
def test_entry_functions_of_rules_exist(rule: str) -> None:
    rooms, entries = (re.findall(r"`([\w.]+)`", cell) for cell in rule_table()[rule])
    for entry in entries:
        assert any(exists(f"mtlaerial.{room}.{entry}") for room in rooms), entry


def test_diagram_of_architecture_agrees_with_the_imports() -> None:
    edges, floor = arrows(), floors()
    assert sorted(edge for edge in edges if floor[edge[0]] <= floor[edge[1]]) == []
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert rooms <= set(floor)
    assert sorted({(source, target) for source, target in imports() if target not in below(source, edges)}) == []
    library = {(source, target) for source, target in edges if source in rooms}
    assert library <= set(imports())

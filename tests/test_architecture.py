"""Imports between the rooms of the package run down, and the package's top stays small."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import mtlaerial

PACKAGE = Path(mtlaerial.__file__).parent
# From the top down; a room imports rooms of lower floors, or of its own where that makes no cycle.
FLOORS = [
    {"cli", "__main__"},
    {"pipeline", "probe"},
    {"training", "dashboard", "reporting", "regions", "zones"},
    {"figures", "prediction", "objects"},
    {"export", "scoring"},
    {"runs", "sampling"},
    {"synthetic", "tiles", "accuracy", "viewer"},
    {"datasets", "maps"},
    {"calibration", "weighting", "models", "rasters", "tasks"},
    {"config", "system"},
    {"errors", "version"},
]
FREE = {"__init__"}
"""Modules outside the floors: the public names, which are imported when they are used."""
LARGEST_TOP = 5
"""Modules directly in the package."""


def rooms(package: Path) -> set[str]:
    """Return the rooms: folders with Python files, and modules at the top."""
    return {path.relative_to(package).parts[0].removesuffix(".py") for path in package.rglob("*.py")}


def imports(package: Path) -> Iterator[tuple[str, str, str]]:
    """Yield each import of another room: its place, the room that imports, and the imported one."""
    for path in sorted(package.rglob("*.py")):
        importer = path.relative_to(package).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for module in imported_modules(node, package.name):
                    room = module.split(".")[1]
                    if room != importer:
                        yield f"{path.relative_to(package)}:{node.lineno}", importer, room


def imported_modules(node: ast.Import | ast.ImportFrom, package: str) -> list[str]:
    """Return the full names of the package's modules that a statement imports."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif node.module == package:
        names = [f"{package}.{alias.name}" for alias in node.names if not alias.name.startswith("__")]
    else:
        names = [node.module or ""]
    return [name for name in names if name.startswith(f"{package}.")]


def upward(package: Path, floors: list[set[str]]) -> list[str]:
    """Return the imports of rooms on higher floors."""
    floor = {room: number for number, rooms in enumerate(reversed(floors)) for room in rooms}
    return [
        f"{place}: {importer} imports {room}, which is on a higher floor"
        for place, importer, room in imports(package)
        if importer not in FREE and floor[room] > floor[importer]
    ]


def cycle(package: Path) -> list[str]:
    """Return rooms that import each other in a circle; empty where there are none."""
    graph: dict[str, set[str]] = {}
    for _, importer, room in imports(package):
        if importer not in FREE:
            graph.setdefault(importer, set()).add(room)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_every_room_has_a_floor() -> None:
    assert rooms(PACKAGE) - FREE == set().union(*FLOORS)


def test_no_room_imports_one_of_a_higher_floor() -> None:
    assert not upward(PACKAGE, FLOORS)


def test_no_rooms_import_each_other_in_a_circle() -> None:
    assert not cycle(PACKAGE)


def test_few_modules_lie_at_the_top() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= LARGEST_TOP


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """Return a package whose ground floor imports the upper one, in a function too."""
    package = tmp_path / "mtlaerial"
    sources = {
        "system/files.py": "def late():\n    from mtlaerial.cli import options\n    import mtlaerial.cli.data\n",
        "cli/options.py": "from mtlaerial import system, __version__\n",
    }
    for name, source in sources.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(source)
    return package


def test_planted_upward_imports_are_noticed(planted: Path) -> None:
    notes = upward(planted, FLOORS)
    assert [note.split(": ")[0] for note in notes] == ["system/files.py:2", "system/files.py:3"]


def test_a_planted_circle_is_noticed(planted: Path) -> None:
    assert set(cycle(planted)) == {"system", "cli"}

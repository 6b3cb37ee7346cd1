"""Hashes of the package's modules, by which results of different code are told apart."""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal

HashedPart = Literal["training", "import", "scoring", "report"]
PACKAGE = Path(__file__).parents[1]
ENTRY_MODULES: dict[HashedPart, tuple[str, ...]] = {
    # What registries name is imported by the names that a configuration gives, which no import statement shows.
    "training": (
        "mtlaerial.training.train",
        "mtlaerial.weighting.methods.*",
        "mtlaerial.models.encoders.*",
        "mtlaerial.models.published.*",
        "mtlaerial.tasks.*",
    ),
    "import": ("mtlaerial.runs.import_original", "mtlaerial.tasks.*"),
    "scoring": ("mtlaerial.scoring.run_scores", "mtlaerial.tasks.*"),
    "report": ("mtlaerial.reporting.report", "mtlaerial.tasks.*"),
}
"""Entry modules of each stage that writes a hash into its results; ``.*`` stands for all modules of a package."""
DATA_FILES: dict[HashedPart, tuple[str, ...]] = {
    "report": ("reporting/report/assets/*", "reporting/report/templates/*"),
}
"""Files that a stage reads besides modules, below the package."""
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
"""Fields of a statement that hold statements. Expressions, most of a module's nodes, hold no imports."""


@cache
def code_hash(stage: HashedPart | None = None) -> str:
    """Return a short hash of the modules that a stage imports, directly or not, and of the files that it reads.

    Without a stage, it is that of all modules of the package, and of these files.

    It is computed once per process, since the code that runs is the code that was imported.

    Examples
    --------
    >>> len(code_hash("training"))
    12
    >>> code_hash("training") == code_hash("report")
    False
    """
    digest = hashlib.sha256()
    for path in stage_files(stage) if stage else _all_files():
        digest.update(path.relative_to(PACKAGE).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def stage_files(stage: HashedPart) -> list[Path]:
    """Return the files of a stage, sorted: entry modules, what they import, transitively, and data files."""
    pending = {path for entry in ENTRY_MODULES[stage] for path in _entry_files(entry)}
    files: set[Path] = set()
    while pending:
        path = pending.pop()
        files.add(path)
        pending |= _imported_files(path) - files
    return sorted(files | _data_files(stage))


def _all_files() -> list[Path]:
    """Return all modules of the package, and all files that stages read besides, sorted."""
    return sorted({*PACKAGE.rglob("*.py"), *(path for stage in DATA_FILES for path in _data_files(stage))})


def _data_files(stage: HashedPart) -> set[Path]:
    return {path for pattern in DATA_FILES.get(stage, ()) for path in PACKAGE.glob(pattern)}


def _entry_files(entry: str) -> set[Path]:
    if not entry.endswith(".*"):
        return _files_of(entry)
    _, *folders, _ = entry.split(".")
    return set(PACKAGE.joinpath(*folders).glob("*.py"))


def _imported_files(path: Path) -> set[Path]:
    """Return the package's files that a module imports, at its top or inside functions.

    The root package's ``__init__`` is not followed: it offers names of all rooms to users, and no module needs them.
    """
    if path == PACKAGE / "__init__.py":
        return set()
    return {file for name in _names_in(path.read_bytes()) for file in _files_of(name)}


@cache
def _names_in(source: bytes) -> frozenset[str]:
    """Return the dotted names that a source imports; parsing is the slow part, and stages share modules."""
    return frozenset(_imported_names(ast.parse(source)))


def _imported_names(node: ast.AST) -> Iterator[str]:
    """Yield the dotted names that are imported in a node's blocks, but for those that only type checkers import."""
    for block in _BLOCKS:
        for child in getattr(node, block, ()):
            if isinstance(child, ast.Import):
                yield from (alias.name for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                yield from (f"{child.module}.{alias.name}" for alias in child.names)
            elif not _is_for_type_checkers(child):
                yield from _imported_names(child)


def _is_for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _files_of(name: str) -> set[Path]:
    """Return the files that run when a dotted name is imported: packages on its way, and the module; else none.

    The last part of a name may be an attribute of a module, which has no file.
    """
    first, *parts = name.split(".")
    if first != PACKAGE.name:
        return set()
    places = [PACKAGE.joinpath(*parts[:depth]) for depth in range(len(parts) + 1)]
    candidates = [file for place in places for file in (place / "__init__.py", place.with_suffix(".py"))]
    return {file for file in candidates if file.exists()}

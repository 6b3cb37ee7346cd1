"""The note in the folder of a generated data set, which marks its files as generated and complete."""

from pathlib import Path

NOTE = "GENERATED.txt"
_STYLE = "style "
"""Beginning of the line on style and noise; notes of earlier versions lack it."""


def is_generated(root: Path) -> bool:
    """Tell whether the files in a folder are generated."""
    return (root / NOTE).exists()


def generation_described(root: Path) -> str:
    """Return style and noise of the generated files in a folder, as a phrase; empty if no note states them."""
    try:
        lines = (root / NOTE).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith(_STYLE)), "")

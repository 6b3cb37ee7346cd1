"""The page: templates, style and scripts in one file, with a content policy that allows these alone."""

import base64
import hashlib
import platform
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files

import rasterio
from jinja2 import Environment, PackageLoader, StrictUndefined

from mtlaerial.reporting.report.section import ReportSection
from mtlaerial.reporting.report.sources import Sources
from mtlaerial.runs.code_hash import code_hash
from mtlaerial.version import __version__

PACKAGE = "mtlaerial.reporting.report"
STYLES = ("page.css", "tables.css", "tiles.css", "viewer.css", "print.css")
SCRIPTS = ("sort.js", "view.js", "pane.js", "viewer.js")
LIBRARIES = ("torch", "lightning-fabric", "numpy", "pandas", "rasterio", "pydantic", "matplotlib")


def render(sections: Sequence[ReportSection], sources: Sources, command: str) -> str:
    """Return the page.

    Parameters
    ----------
    sections : sequence of ReportSection
    sources : Sources
        Addresses of the pictures.
    command : str
        The command that the page is made by; empty where it is not known.
    """
    style, script = _joined(STYLES), _joined(SCRIPTS)
    return (
        _environment()
        .get_template("page.html")
        .render(
            sections=sections,
            sources=sources,
            command=command,
            software=_software(),
            code=code_hash("report"),
            style=style,
            script=script,
            policy=_policy(style, script),
        )
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader(PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _joined(names: Sequence[str]) -> str:
    assets = files(PACKAGE) / "assets"
    return "\n".join((assets / name).read_text(encoding="utf-8") for name in names)


def _policy(style: str, script: str) -> str:
    """Return a content policy by which nothing runs or is fetched but what the page itself has."""
    rules: Mapping[str, str] = {
        "default-src": "'none'",
        "img-src": "data: 'self' file:",
        "style-src": _hash(style),
        "script-src": _hash(script),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _software() -> dict[str, str]:
    base = {"mtlaerial": __version__, "Python": platform.python_version(), "GDAL": rasterio.__gdal_version__}
    return base | {name: _installed_version(name) for name in LIBRARIES}


def _installed_version(name: str) -> str:
    """Return a package's version; runs of other machines are reported where torch may be missing."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"

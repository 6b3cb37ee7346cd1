"""Copy the Markdown pages of the repository into one folder, for the documentation site.

Pages lie where developers look for them: in docs, in config, at the top. The site needs them in one folder, and its
links within it: a link to another page leads to that page, a link to another file of the repository to its source.
Notebooks become pages of their text and code, without outputs.

    python docs/site/stage_pages.py DIR
"""

import json
import re
import shutil
import sys
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

ROOT = Path(__file__).parents[2]
SOURCE = "https://github.com/mtlaerial/mtlaerial/blob/main"
PAGES = {
    "README.md": "index.md",
    "config/README.md": "configuration.md",
    "docs/data/README.md": "finished-rows.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
"""Pages outside docs, and their names on the site; those of docs keep theirs."""
LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)\s#]+)")


def main() -> None:
    """Stage all pages and pictures in the folder of the command line."""
    (folder,) = map(Path, sys.argv[1:])
    shutil.rmtree(folder, ignore_errors=True)
    for page, name in pages().items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(staged_text(page), encoding="utf-8")
    shutil.copytree(ROOT / "docs/images", folder / "images")


def pages() -> dict[str, str]:
    """Return the name on the site of each page, by its path in the repository."""
    in_docs = [path.relative_to(ROOT / "docs") for path in sorted((ROOT / "docs").glob("*.md"))]
    in_docs += [path.relative_to(ROOT / "docs") for path in sorted((ROOT / "docs/tutorials").glob("*.md"))]
    in_docs += [path.relative_to(ROOT / "docs") for path in sorted((ROOT / "docs/notebooks").glob("*.ipynb"))]
    return PAGES | {f"docs/{path.as_posix()}": path.with_suffix(".md").as_posix() for path in in_docs}


def staged_text(page: str) -> str:
    """Return the text of a page with links that hold on the site.

    Parameters
    ----------
    page : str
        Path in the repository, such as ``docs/maps.md``.

    Raises
    ------
    FileNotFoundError
        When a link leads to no file of the repository.
    """
    text = (ROOT / page).read_text(encoding="utf-8")
    if page.endswith(".ipynb"):
        text = notebook_text(text)
    return LINK.sub(lambda match: _staged_link(page, match[1]), text)


def notebook_text(text: str) -> str:
    """Return the text and the code of a notebook as Markdown."""
    parts = []
    for cell in json.loads(text)["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
    return "\n\n".join(parts) + "\n"


def _staged_link(page: str, link: str) -> str:
    path = normpath(PurePosixPath(page).parent / link)
    place = PurePosixPath(pages()[page]).parent
    if path in pages():
        return relpath(pages()[path], place)
    if path.startswith("docs/images/"):
        return relpath(path.removeprefix("docs/"), place)
    if not (ROOT / path).exists():
        raise FileNotFoundError(f"{page}: the link {link} leads to no file; correct it")
    return f"{SOURCE}/{path}"


if __name__ == "__main__":
    main()

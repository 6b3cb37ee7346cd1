"""Index of the runs that a dashboard has: names, and the last that each said of itself."""

import json
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

EMPTY = "main"
"""Environment that Visdom always has; no run is called so."""
TEXT = "training"
"""Window with a run's progress."""


class Entry(NamedTuple):
    """A run of the index.

    Attributes
    ----------
    name : str
        Its environment.
    lines : list of str
        Its window of text: data set, method, progress, scores; empty if it has none.
    """

    name: str
    lines: list[str]


class RunIndex:
    """Index of the runs of a Visdom application, which keeps saved ones on disk until their page is opened.

    Parameters
    ----------
    state : mapping of str to mapping
        Environments of the application, by name.
    saved : Path
        Folder of saved environments.
    """

    def __init__(self, state: Mapping[str, Any], saved: Path) -> None:
        self.state, self.saved = state, saved
        self._read: dict[str, tuple[int, list[str]]] = {}

    def entries(self) -> list[Entry]:
        """Return the runs by name."""
        return [Entry(name, self._lines(name)) for name in sorted(self.state) if name != EMPTY]

    def _lines(self, name: str) -> list[str]:
        environment = self.state[name]
        # Of an environment on disk, Visdom would keep all windows in memory once one is read: only the text is kept.
        if getattr(environment, "_raw_dict", environment) is None:
            return self._from_disk(name)
        return text_lines(environment)

    def _from_disk(self, name: str) -> list[str]:
        path = self.saved / f"{name}.json"
        try:
            changed = path.stat().st_mtime_ns
            if self._read.get(name, (None,))[0] != changed:
                self._read[name] = changed, text_lines(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return []
        return self._read[name][1]


def text_lines(environment: Any) -> list[str]:
    """Return the lines of a run's window of text, without markup; empty if it has none.

    Examples
    --------
    >>> text_lines({"jsons": {"training": {"content": "<h4>City</h4><p>epoch 1 of 8</p><p></p>"}}})
    ['City', 'epoch 1 of 8']
    """
    try:
        content = environment["jsons"][TEXT]["content"]
    except (KeyError, TypeError):
        return []
    lines = _Lines()
    lines.feed(str(content))
    lines.close()
    return [" ".join(line.split()) for line in lines.text.splitlines() if line.strip()]


class _Lines(HTMLParser):
    """Text of HTML, with a line for each paragraph."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data.replace("\n", " ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("p", "h4"):
            self.text += "\n"

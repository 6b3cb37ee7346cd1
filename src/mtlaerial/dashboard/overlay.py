"""Overlay of several runs: each of their plots once, with the lines of all runs in it."""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from itertools import islice
from typing import Any

from mtlaerial.dashboard.client import SIZE

Pane = dict[str, Any]
"""A window as Visdom keeps it and sends it to its page."""
DASHES = ("solid", "dash", "dot", "dashdot")
"""Line styles of the runs; a line's colour says which column it is."""
LEGEND = {"orientation": "h", "x": 0, "y": -0.22, "yanchor": "top"}
"""Place of the legend: below the plot, as it has a line per run and column."""
HEIGHT = 80
"""Pixels that the legend adds to a window."""


def overlay(runs: Mapping[str, Mapping[str, Pane]]) -> list[Pane]:
    """Return the windows of several runs laid over each other.

    Plots of the same name that at least two runs have become one. Texts and pictures of each run follow each other,
    titled by their runs.

    Parameters
    ----------
    runs : mapping of str to mapping of str to Pane
        Windows of each run by name. Of more than four runs the first four are shown.

    Examples
    --------
    >>> line = {"name": "height", "x": [1], "y": [2.0], "line": {}}
    >>> pane = {"id": "loss", "type": "plot", "title": "loss", "content": {"data": [line], "layout": {}}}
    >>> [plot] = overlay({"city_uw_seed0": {"loss": pane}, "city_gls_seed0": {"loss": pane}})
    >>> [(line["name"], line["line"]["dash"]) for line in plot["content"]["data"]]
    [('uw: height', 'solid'), ('gls: height', 'dash')]
    """
    shown = dict(islice(runs.items(), len(DASHES)))
    labels = dict(zip(shown, distinct_parts(list(shown)), strict=True))
    panes: list[Pane] = []
    for name in dict.fromkeys(name for windows in shown.values() for name in windows):
        of_runs = {labels[run]: windows[name] for run, windows in shown.items() if name in windows}
        if all(pane.get("type") == "plot" for pane in of_runs.values()):
            panes += [_joined(of_runs, list(labels.values()))] if len(of_runs) > 1 else []
        else:
            panes += (_titled(pane, label) for label, pane in of_runs.items())
    # Visdom's page asks for all windows again when it gets one without this mark.
    return [{**pane, "i": number, "has_compare": True} for number, pane in enumerate(panes, 1)]


def distinct_parts(names: Sequence[str]) -> list[str]:
    """Return names without the parts, between underscores, that all have at their beginning and end.

    Examples
    --------
    >>> distinct_parts(["city_uw_seed0", "city_gls_seed0"])
    ['uw', 'gls']
    >>> distinct_parts(["city_uw", "city_uw_seed0"])
    ['city_uw', 'city_uw_seed0']
    """
    parts = [name.split("_") for name in names]
    first = _shared(parts)
    last = _shared([entry[first:][::-1] for entry in parts])
    short = ["_".join(entry[first : len(entry) - last]) for entry in parts]
    return short if all(short) else list(names)


def _shared(rows: Iterable[Sequence[str]]) -> int:
    """Return how many elements all rows have in common, from the first on."""
    count = 0
    for elements in zip(*rows, strict=False):
        if len(set(elements)) > 1:
            break
        count += 1
    return count


def _joined(of_runs: Mapping[str, Pane], labels: Sequence[str]) -> Pane:
    """Return the plots of runs as one, in the first one's layout."""
    joined = deepcopy(next(iter(of_runs.values())))
    lines = [_line(line, label, labels) for label, pane in of_runs.items() for line in pane["content"]["data"]]
    layout = {**joined["content"]["layout"], "showlegend": True, "legend": LEGEND}
    joined["content"] = {"data": lines, "layout": layout}
    joined["id"] = f"{joined['id']}_overlay"
    joined["height"] = (joined.get("height") or SIZE["height"]) + HEIGHT
    joined["contentID"] = "_".join(str(pane.get("contentID")) for pane in of_runs.values())  # the page draws new ones
    return joined


def _line(line: Mapping[str, Any], label: str, labels: Sequence[str]) -> dict[str, Any]:
    dash = DASHES[labels.index(label)]
    return {**line, "name": f"{label}: {line.get('name', '')}", "line": {**line.get("line", {}), "dash": dash}}


def _titled(pane: Pane, label: str) -> Pane:
    return {**pane, "id": f"{pane['id']}_{label}", "title": f"{label}: {pane.get('title', '')}"}

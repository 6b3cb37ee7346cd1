"""Checks of the nodes of a YAML file, before values are built from them: number, nesting, keys that occur twice."""

from collections.abc import Iterator
from pathlib import Path

import yaml

from mtlaerial.errors import ConfigError

DEEPEST = 50
"""Deepest nesting of lists and mappings."""
MOST_VALUES = 500_000
"""Most values in a file, each alias counted with all values that it stands for; they are read in seconds. A
``run.yaml`` has four for each training tile."""
_MERGE = "tag:yaml.org,2002:merge"


def require_bounded(path: Path, root: yaml.Node) -> None:
    """Refuse deep nesting, cycles, and aliases that stand for very many values ("billion laughs").

    Raises
    ------
    ConfigError
    """
    sizes: dict[int, int] = {}

    def size(node: yaml.Node, depth: int) -> int:
        if depth > DEEPEST:
            raise nested(path)
        if id(node) not in sizes:
            sizes[id(node)] = 1 + sum(size(child, depth + 1) for child in _children(node))
        return sizes[id(node)]

    if size(root, 0) > MOST_VALUES:
        raise too_many(path)


def too_many(path: Path) -> ConfigError:
    """Return the error of a file with too many values."""
    expected = f"at most {MOST_VALUES:,} values, aliases (*name) expanded"
    return ConfigError(path, "more values", expected, "Write the values out, or make the file smaller.")


def nested(path: Path) -> ConfigError:
    """Return the error of a file that is nested too deeply."""
    remedy = "Check the brackets and the indentation."
    return ConfigError(path, "lists or mappings nested more deeply", f"at most {DEEPEST} levels", remedy)


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def require_distinct_keys(path: Path, root: yaml.Node) -> None:
    """Refuse a key that a mapping has twice: of the two values, a YAML parser drops the first without a word.

    Raises
    ------
    ConfigError
    """
    checked: set[int] = set()
    waiting: list[tuple[str, yaml.Node]] = [("", root)]
    while waiting:
        place, node = waiting.pop()
        if id(node) in checked:
            continue
        checked.add(id(node))
        if isinstance(node, yaml.MappingNode):
            waiting += _values_by_place(path, place, node)
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(f"{place}.{index}", value) for index, value in enumerate(node.value)]


def _values_by_place(path: Path, place: str, mapping: yaml.MappingNode) -> list[tuple[str, yaml.Node]]:
    """Return the values of a mapping with their keys' full names."""
    lines: dict[str, int] = {}
    values = []
    for key, value in mapping.value:
        name = f"{place}.{key.value}".lstrip(".") if isinstance(key, yaml.ScalarNode) else place
        values.append((name, value))
        if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
            continue
        line = key.start_mark.line + 1
        if name in lines:
            twice = f"the key twice (lines {lines[name]} and {line})"
            remedy = "Remove one of them, or join their values."
            raise ConfigError(f"{path}, key {name}", twice, "each key once", remedy)
        lines[name] = line
    return values

"""The reader of YAML files: mappings with each key once, of bounded size, depth and expansion."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from mtlaerial.errors import ConfigError

LARGEST_BYTES = 8 * 2**20
"""Largest file; a specification with thousands of tiles has less than a megabyte."""
DEEPEST = 50
"""Deepest nesting of lists and mappings."""
MOST_VALUES = 100_000
"""Most values in a file, each alias counted with all values that it stands for; they are read in seconds."""
LONGEST_NUMBER = 100
"""Most characters of a number: Python takes minutes for a million, and prints no more than 4,300 digits."""
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_MERGE = "tag:yaml.org,2002:merge"


class _TooManyValuesError(Exception):
    """More values than are read."""


class _Loader(yaml.SafeLoader):
    """A safe loader whose errors in scalars are errors of YAML, and that reads a bounded number of values."""

    composed = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Return the next node.

        Raises
        ------
        _TooManyValuesError
        """
        self.composed += 1
        if self.composed > MOST_VALUES:
            raise _TooManyValuesError
        node: yaml.Node | None = super().compose_node(parent, index)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Return the value of a node.

        Raises
        ------
        ConstructorError
            When a scalar does not fit its type, e.g. the date 2001-99-99.
        """
        try:
            if node.tag in _NUMBERS and len(node.value) > LONGEST_NUMBER:
                raise ValueError
            return super().construct_object(node, deep)
        except (ValueError, KeyError, AttributeError, IndexError, OverflowError):
            # PyYAML lets them through: ValueError of dates and numbers, KeyError of !!bool, AttributeError of
            # !!timestamp, IndexError of empty numbers.
            kind = node.tag.rpartition(":")[2]
            problem = f"{_shortened(str(node.value))!r} is no {kind}; quote it if it is text"
            raise ConstructorError(None, None, problem, node.start_mark) from None


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises
    ------
    ConfigError
        When the file is missing, unreadable, not YAML, not a mapping, has a key twice, or is too large or nested.
    """
    data = _parsed(path, _text(path))
    if not isinstance(data, dict):
        kind = "nothing" if data is None else f"a {type(data).__name__}"
        raise ConfigError(path, kind, "a mapping of keys to values", "See config/README.md.")
    return data


def typed_scalars(value: Any) -> Any:
    """Return a configuration whose texts are the numbers, booleans and nulls that YAML reads them as.

    Snakemake gives all values of its option ``--config KEY={...}`` as text.

    Examples
    --------
    >>> typed_scalars({"epochs": "2", "betas": ["0.9", "0.99"], "compile": "false", "name": "equal"})
    {'epochs': 2, 'betas': [0.9, 0.99], 'compile': False, 'name': 'equal'}
    """
    if isinstance(value, Mapping):
        return {key: typed_scalars(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [typed_scalars(entry) for entry in value]
    if not isinstance(value, str) or not value:
        return value
    try:
        scalar = yaml.load(value, _Loader)
    except yaml.YAMLError:
        return value
    return scalar if scalar is None or isinstance(scalar, (bool, int, float)) else value


def _text(path: Path) -> str:
    """Return the text of a file, of which no more than the allowed bytes are read."""
    if path.is_dir():
        raise ConfigError(path, "a folder", "a YAML file", "Give the path of a file in it.")
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise ConfigError(path, error.strerror or "no file", "a YAML file", "Check the path.") from None
    if len(content) > LARGEST_BYTES:
        expected = f"a YAML file of at most {LARGEST_BYTES // 2**20} MB"
        raise ConfigError(path, "a larger file", expected, "Check the path.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        remedy = "Give the path of a YAML file, saved as UTF-8."
        raise ConfigError(path, f"no UTF-8 text (byte {error.start})", "YAML", remedy) from None


def _parsed(path: Path, text: str) -> Any:
    """Return the content of a YAML text; the nodes are checked before their values are built."""
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None:
            return None
        _require_bounded(path, root)
        _require_distinct_keys(path, root)
        return loader.construct_document(root)
    except yaml.YAMLError as error:
        fault = f"text that is not YAML ({_problem(error)})"
        raise ConfigError(path, fault, "YAML", "Correct the syntax.") from None
    except ValueError as error:  # of an escaped character beyond Unicode
        raise ConfigError(path, f"text that is not YAML ({error})", "YAML", "Correct the syntax.") from None
    except _TooManyValuesError:
        raise _too_many(path) from None
    except RecursionError:
        raise _nested(path) from None


def _problem(error: yaml.YAMLError) -> str:
    """Return the line and the problem that PyYAML reports."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return _shortened(str(error), 200)
    mark = error.problem_mark
    problem = " ".join(filter(None, (error.context, error.problem)))
    return _shortened(f"line {mark.line + 1}, column {mark.column + 1}: {problem}", 300)


def _require_bounded(path: Path, root: yaml.Node) -> None:
    """Refuse deep nesting, cycles, and aliases that stand for very many values ("billion laughs")."""
    sizes: dict[int, int] = {}

    def size(node: yaml.Node, depth: int) -> int:
        if depth > DEEPEST:
            raise _nested(path)
        if id(node) not in sizes:
            sizes[id(node)] = 1 + sum(size(child, depth + 1) for child in _children(node))
        return sizes[id(node)]

    if size(root, 0) > MOST_VALUES:
        raise _too_many(path)


def _too_many(path: Path) -> ConfigError:
    expected = f"at most {MOST_VALUES:,} values, aliases (*name) expanded"
    return ConfigError(path, "more values", expected, "Write the values out, or make the file smaller.")


def _nested(path: Path) -> ConfigError:
    remedy = "Check the brackets and the indentation."
    return ConfigError(path, "lists or mappings nested more deeply", f"at most {DEEPEST} levels", remedy)


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _require_distinct_keys(path: Path, root: yaml.Node) -> None:
    """Refuse a key that a mapping has twice: of the two values, a YAML parser drops the first without a word."""
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


def _shortened(text: str, length: int = 60) -> str:
    text = re.sub(r"\s+", " ", text)
    return text if len(text) <= length else f"{text[: length - 3]}..."

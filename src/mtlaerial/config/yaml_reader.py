"""The reader of YAML files: mappings with each key once, of bounded size, depth and expansion."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.constructor import ConstructorError

from mtlaerial.config.yaml_nodes import MOST_VALUES, nested, require_bounded, require_distinct_keys, too_many
from mtlaerial.errors import ConfigError, system_reason

LARGEST_BYTES = 32 * 2**20
"""Largest file; the ``run.yaml`` of a training on 100,000 tiles has some 16 MB."""
LONGEST_NUMBER = 100
"""Most characters of a number: Python takes minutes for a million, and prints no more than 4,300 digits."""
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


class _TooManyValuesError(Exception):
    """More values than are read."""


if yaml.__with_libyaml__:

    class _Parser(Composer, yaml.CSafeLoader):
        """Safe loader that scans ten times faster in C, and composes in Python, where values can be counted."""

        def __init__(self, text: str) -> None:
            yaml.CSafeLoader.__init__(self, text)
            Composer.__init__(self)

else:
    _Parser = yaml.SafeLoader  # type: ignore[misc, assignment]


class _Loader(_Parser):
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


def parse_value(text: str, place: str) -> Any:
    """Return the value of a YAML text, such as that of an option.

    Parameters
    ----------
    text : str
    place : str
        Where it is from, for messages.

    Raises
    ------
    ConfigError
        When it is not YAML, has a key twice, or is too large or nested.

    Examples
    --------
    >>> parse_value("[semantics, height]", "--set")
    ['semantics', 'height']
    """
    return _parsed(Path(place), text)


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
    except (yaml.YAMLError, ValueError):
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
        raise ConfigError(path, system_reason(error), "a YAML file", "Check the path.") from None
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
        require_bounded(path, root)
        require_distinct_keys(path, root)
        return loader.construct_document(root)
    except yaml.YAMLError as error:
        fault = f"text that is not YAML ({_problem(error)})"
        raise ConfigError(path, fault, "YAML", "Correct the syntax.") from None
    except ValueError as error:  # of an escaped character beyond Unicode
        raise ConfigError(path, f"text that is not YAML ({error})", "YAML", "Correct the syntax.") from None
    except _TooManyValuesError:
        raise too_many(path) from None
    except RecursionError:
        raise nested(path) from None


def _problem(error: yaml.YAMLError) -> str:
    """Return the line and the problem that PyYAML reports."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return _shortened(str(error), 200)
    mark = error.problem_mark
    start = error.context_mark
    begin = f"from line {start.line + 1}" if start and start.line != mark.line else ""
    problem = " ".join(filter(None, (error.context, begin, error.problem)))
    return _shortened(f"line {mark.line + 1}, column {mark.column + 1}: {problem}", 300)


def _shortened(text: str, length: int = 60) -> str:
    text = re.sub(r"\s+", " ", text)
    return text if len(text) <= length else f"{text[: length - 3]}..."

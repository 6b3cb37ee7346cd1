"""Types of configuration keys in words, for messages."""

import re
from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

Location = list[str | int]
"""Keys and indices from a section to a value."""
_BRANCH = re.compile(
    r"(function-(before|after|plain|wrap)|tuple|dict|list|literal|nullable|tagged)\[|constrained-|lax-or-strict"
)
"""Beginning of what pydantic adds to a location: the branch of a union of types."""
ALTERNATIVE = ", or "
"""Between the types of a union in words."""
FOLDER_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
SHA256 = r"^[0-9a-f]{64}$"
_PATTERNS = {
    FOLDER_NAME: "a name of letters, digits, dots, dashes and underscores, since it becomes a folder",
    SHA256: "the whole hash, 64 hexadecimal digits",
}
WORDS: dict[Any, str] = {int: "a whole number", float: "a number", str: "text", bool: "true or false", Path: "a path"}
PLURALS: dict[Any, str] = {int: "whole numbers", float: "numbers", str: "names", Path: "paths"}
_BRANCHES = {"tuple_type": tuple, "dict_type": dict}
"""Types of errors that tell which member of a union was tried."""
_COMPARISONS = {
    "greater_than": "a number greater than {gt:g}",
    "greater_than_equal": "a number of at least {ge:g}",
    "less_than": "a number less than {lt:.10g}",
    "less_than_equal": "a number of at most {le:.10g}",
    "multiple_of": "a multiple of {multiple_of}",
}
"""Words for pydantic's types of errors with their context."""


def tagged(kind: str) -> str:
    """Return the tag of a kind in pydantic's locations."""
    return f"tagged[{kind}]"


def plain_location(location: Sequence[str | int]) -> Location:
    """Return a location of pydantic without the branches of unions and the mark of names."""
    return [part for part in location if part != "[key]" and not _BRANCH.match(str(part))]


def key_of(location: Sequence[str | int]) -> str:
    """Return the full name of a key; empty for the whole."""
    return ".".join(map(str, location))


def described(item: Any, model: type[BaseModel], location: Location) -> str:
    """Return what pydantic expected at a location, as a noun phrase.

    Parameters
    ----------
    item : mapping
        A line of pydantic's report.
    model : type of BaseModel
    location : list
        As :func:`plain_location` returns it.
    """
    kind, message = item["type"], str(item["msg"])
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    if kind in _COMPARISONS:
        return _COMPARISONS[kind].format(**item["ctx"])
    if kind == "literal_error":
        return str(item["ctx"]["expected"])
    if kind == "string_pattern_mismatch":
        pattern = item["ctx"]["pattern"]
        return _PATTERNS.get(pattern, f"text that matches {pattern}")
    if kind.endswith(("_type", "_parsing", "_from_float")):
        branch = _BRANCHES.get(kind)
        at_location = [str] if item["loc"][-1] == "[key]" else annotations_at(model, location)
        candidates = [part for part in at_location if branch in (None, get_origin(part))]
        alternatives = [words for candidate in candidates for words in _words(candidate)]
        return ALTERNATIVE.join(dict.fromkeys(alternatives)) or message
    return message.removeprefix("Input should be ")


def sections_at(model: type[BaseModel], location: Sequence[str | int]) -> list[type[BaseModel]]:
    """Return the models of the section that a location of pydantic leads to; of a tagged union the tagged one."""
    sections = [candidate for candidate in annotations_at(model, plain_location(location)) if _is_model(candidate)]
    tag = str(location[-1]) if location else ""
    return [section for section in sections if f"tagged[{getattr(section, 'KIND', '')}]" == tag] or sections


def annotations_at(model: type[BaseModel], location: Location) -> list[Any]:
    """Return the types that the value at a location may have, unions taken apart."""
    candidates: list[Any] = [model]
    for part in location:
        candidates = [alternative for candidate in candidates for alternative in _child(candidate, part)]
    return candidates


def _child(candidate: Any, part: str | int) -> list[Any]:
    """Return the types of the value of a key or index in a value of some type."""
    if _is_model(candidate):
        field = candidate.model_fields.get(part)
        return _alternatives(field.annotation) if field else []
    arguments = get_args(candidate)
    if get_origin(candidate) is dict:
        return _alternatives(arguments[1])
    if get_origin(candidate) is tuple and isinstance(part, int):
        same = len(arguments) == 2 and arguments[1] is Ellipsis
        return _alternatives(arguments[0 if same else min(part, len(arguments) - 1)])
    return []


def _alternatives(annotation: Any) -> list[Any]:
    """Return the members of a union without None; a type alone is its only member."""
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [part for member in get_args(annotation) for part in _alternatives(member)]
    return [] if annotation is type(None) else [annotation]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _words(annotation: Any) -> list[str]:
    """Return a type in words."""
    if annotation in WORDS:
        return [WORDS[annotation]]
    if _is_model(annotation):
        return [f"a section with keys such as {_some_keys(annotation)}"]
    if get_origin(annotation) is Literal:
        return list(map(repr, get_args(annotation)))
    if get_origin(annotation) is dict:
        return ["a section of names with values"]
    return [_list_words(get_args(annotation))] if get_origin(annotation) is tuple else []


def _some_keys(section: type[BaseModel]) -> str:
    return ", ".join(list(section.model_fields)[:3])


def _list_words(items: tuple[Any, ...]) -> str:
    """Return a type of lists in words, with an example."""
    first = _alternatives(items[0])[0]
    number = "" if items[-1] is Ellipsis else f"{len(items)} "
    if _is_model(first):
        return f"a list of {number}sections with keys such as {_some_keys(first)}"
    if get_origin(first) is Literal:
        return f"a list of {' and '.join(map(repr, get_args(first)))}"
    return f"a list of {number}{PLURALS.get(first, 'values')}"

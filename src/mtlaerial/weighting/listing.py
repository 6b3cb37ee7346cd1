"""Texts about the task weightings, for the command line."""

import inspect
import textwrap
from collections.abc import Sequence
from typing import get_args

from pydantic.fields import FieldInfo

from mtlaerial.config.registry import REGISTERED_WRONGLY
from mtlaerial.config.weighting import REGISTRY
from mtlaerial.errors import ConfigError
from mtlaerial.weighting import Weighting, weighting_class

HEADER = ("name", "family", "level", "published by", "cost beyond a plain sum", "state")
LEGEND = (
    "level: where gradients are taken, the default first; both can be chosen unless there is but one.",
    "cost of its level: features: none, the trunk's backward pass runs once; parameters: once per task, and the tasks' "
    "gradients of the trunk stay in memory.",
    "One of them, with its options: mtlaerial weightings NAME",
)
COLUMNS = 4
"""Columns of the list; cost and state follow on lines of their own."""
WIDTH = 100
"""Characters of a line."""
FAMILIES = ("constant", "losses", "gradients")
_FAMILY = f"one of the families {', '.join(FAMILIES)}"


def list_weightings() -> str:
    """Return a table of all weightings, by family; those that another package registers wrongly are named below it."""
    facts, broken = {}, {}
    for name in REGISTRY.targets():
        try:
            facts[name] = _facts(weighting_class(name))
        except ConfigError as error:
            broken[name] = error
    ordered = sorted(facts, key=lambda name: FAMILIES.index(facts[name][0]))
    rows = [HEADER[:COLUMNS], *((name, *facts[name][: COLUMNS - 1]) for name in ordered)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(rows[0], widths)]
    for row in rows[1:]:
        lines += [_line(row, widths), *_price(facts[row[0]], widths[0])]
    below = [f"{len(facts)} weightings.", *LEGEND, *(f"Broken: {error}" for error in broken.values())]
    return "\n".join([*lines, "", *(textwrap.fill(text, WIDTH, subsequent_indent="  ") for text in below)])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def _price(facts: Sequence[str], indent: int) -> list[str]:
    """Return the lines on cost and state of a weighting; none for one without either."""
    named = zip(("cost", "state"), facts[COLUMNS - 1 :], strict=True)
    text = "; ".join(f"{name}: {value}" for name, value in named if value != "none")
    space = " " * (indent + 2)
    return textwrap.wrap(text, WIDTH, initial_indent=space, subsequent_indent=space, break_on_hyphens=False)


def explain_weighting(name: str) -> str:
    """Return a weighting's description, citation and options.

    Raises
    ------
    ConfigError
        When its class cannot be imported.
    """
    method = weighting_class(name)
    facts = zip(HEADER[1:], _facts(method), strict=True)
    options = [_option(key, field) for key, field in method.Options.model_fields.items()]
    listed = "\n".join(options) or "  none"
    return "\n".join(
        [name, *(f"  {key}: {value}" for key, value in facts), "", inspect.getdoc(method) or "", "", "Options", listed]
    )


def _facts(method: type[Weighting]) -> tuple[str, ...]:
    """Return family, levels, publication, cost and state of a weighting.

    Raises
    ------
    ConfigError
        When its class does not state them.
    """
    try:
        facts = method.family, _levels(method), method.paper, method.cost, method.state
    except AttributeError as error:
        expected = "the attributes family and paper"
        raise ConfigError(f"weighting {method.__name__}", str(error), expected, REGISTERED_WRONGLY) from None
    if method.family not in FAMILIES:
        raise ConfigError(f"weighting {method.__name__}", repr(method.family), _FAMILY, REGISTERED_WRONGLY)
    return facts


def _levels(method: type[Weighting]) -> str:
    """Return the levels that a method has, the default first."""
    field = method.Options.model_fields.get("level")
    if field is None:
        return "-"
    return ", ".join(sorted(get_args(field.annotation), key=lambda level: level != field.default))


def _option(key: str, field: FieldInfo) -> str:
    default = "required" if field.is_required() else f"default {field.default}"
    meaning = field.description or ("where the gradients are taken" if key == "level" else "")
    text = f"{key} ({default}){f': {meaning}' if meaning else ''}"
    return textwrap.fill(text, 100, initial_indent="  ", subsequent_indent="      ")

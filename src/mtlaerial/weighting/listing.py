"""Texts about the task weightings, for the command line."""

import inspect
import textwrap
from collections.abc import Sequence
from typing import get_args

from pydantic.fields import FieldInfo

from mtlaerial.config.weighting import weighting_targets
from mtlaerial.weighting import Weighting, weighting_class

HEADER = ("name", "family", "level", "published by", "cost beyond a plain sum", "state")
LEGEND = (
    "level: where gradients are taken, the default first; both can be chosen unless there is but one.",
    "cost of its level: features: none, the trunk's backward pass runs once; parameters: once per task, and the tasks'",
    "gradients of the trunk stay in memory.",
    "One of them, with its options: mtlaerial weightings NAME",
)
FAMILIES = ("constant", "losses", "gradients")


def list_weightings() -> str:
    """Return a table of all weightings: name, family, level, citation and cost; by family."""
    classes = {name: weighting_class(name) for name in weighting_targets()}
    ordered = sorted(classes, key=lambda name: FAMILIES.index(classes[name].family))
    rows = [HEADER, *((name, *_facts(classes[name])) for name in ordered)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    return "\n".join([*lines, "", f"{len(classes)} weightings.", *LEGEND])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


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
    return method.family, _levels(method), method.paper, method.cost, method.state


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

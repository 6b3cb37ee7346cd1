"""Texts about the task weightings, for the command line."""

import inspect
import textwrap
from collections.abc import Sequence
from typing import get_args

from pydantic.fields import FieldInfo

from mtlaerial.config import Section
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
FIRST = {
    "equal": "the baseline of all others, at no cost. Measured: none of 17 others differed from it beyond chance",
    "fixed": "a scale of your choice, or from a search. Measured: a third to ten times the height's weight changed "
    "nothing beyond chance",
    "rlw": "the control: random weights, which a useful method must beat. Not measured",
    "uw": "learns a scale per loss; set its learning_rate. Measured only at the network's, at which it hardly moves",
    "feature_normalisation": "gradients of equal length at the shared features, the original's own method. Measured: "
    "like equal, at its cost",
    "nash_mtl": "depends on the scale of no loss, and resolves conflict. Measured: like equal",
    "aligned_mtl": "removes conflict and dominance together. Measured: the highest mean of 17, within chance",
    "upgrad": "no loss rises along an update. Measured: like equal, within chance",
}
"""Weightings to try first, with a reason; those that are measured are so in docs/results.md."""
COLUMNS = 4
"""Columns of the list; cost and state follow on lines of their own."""
WIDTH = 100
"""Characters of a line."""
FAMILIES = ("constant", "losses", "gradients")
_STATED = "the attributes family, paper, cost and state, texts; and Options, a Section"
_FAMILY = f"one of the families {', '.join(FAMILIES)}"


def list_weightings() -> str:
    """Return a table of all weightings: those to try first with a reason, and all others by family, for comparison.

    Those that another package registers wrongly are named below it.
    """
    facts, broken = {}, {}
    for name in REGISTRY.targets():
        try:
            facts[name] = _facts(name, weighting_class(name))
        except ConfigError as error:
            broken[name] = error
    others = sorted(
        facts.keys() - FIRST.keys(), key=lambda name: (FAMILIES.index(facts[name][0]), list(facts).index(name))
    )
    rows = [HEADER[:COLUMNS], *((name, *facts[name][: COLUMNS - 1]) for name in facts)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(HEADER[:COLUMNS], widths), "", "To try first (figures: docs/results.md of the project)"]
    for name, reason in FIRST.items():
        lines += [_line((name, *facts[name]), widths), *_below(f"{reason}.", widths[0])]
        lines += _below(_price(facts[name]), widths[0])
    lines += ["", "For comparison"]
    for name in others:
        lines += [_line((name, *facts[name]), widths), *_below(_price(facts[name]), widths[0])]
    below = [f"{len(facts)} weightings.", *LEGEND, *(f"Broken: {error}" for error in broken.values())]
    return "\n".join([*lines, "", *(textwrap.fill(text, WIDTH, subsequent_indent="  ") for text in below)])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=False)).rstrip()


def _price(facts: Sequence[str]) -> str:
    """Return cost and state of a weighting; nothing for one without either."""
    named = zip(("cost", "state"), facts[COLUMNS - 1 :], strict=True)
    return "; ".join(f"{name}: {value}" for name, value in named if value != "none")


def _below(text: str, indent: int) -> list[str]:
    """Return a text in lines below those of the table."""
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
    facts = zip(HEADER[1:], _facts(name, method), strict=True)
    options = [_option(key, field) for key, field in method.Options.model_fields.items()]
    listed = "\n".join(options) or "  none"
    return "\n".join(
        [name, *(f"  {key}: {value}" for key, value in facts), "", inspect.getdoc(method) or "", "", "Options", listed]
    )


def _facts(name: str, method: type[Weighting]) -> tuple[str, ...]:
    """Return family, levels, publication, cost and state of a weighting.

    Raises
    ------
    ConfigError
        When its class does not state them.
    """
    texts = {key: getattr(method, key, None) for key in ("family", "paper", "cost", "state")}
    absent = [f"{key} {value!r}" for key, value in texts.items() if not isinstance(value, str)]
    if not (isinstance(method.Options, type) and issubclass(method.Options, Section)):
        absent.append(f"Options {method.Options!r}")
    if absent:
        raise REGISTRY.registered_wrongly(name, ", ".join(absent), _STATED)
    if method.family not in FAMILIES:
        raise REGISTRY.registered_wrongly(name, repr(method.family), _FAMILY)
    return method.family, _levels(method), method.paper, method.cost, method.state


def _levels(method: type[Weighting]) -> str:
    """Return the levels that a method has, the default first."""
    field = method.Options.model_fields.get("level")
    if field is None:
        return "-"
    levels = [str(level) for level in get_args(field.annotation)]
    return ", ".join(sorted(levels, key=lambda level: level != field.default))


def _option(key: str, field: FieldInfo) -> str:
    default = "required" if field.is_required() else f"default {field.default}"
    meaning = field.description or ("where the gradients are taken" if key == "level" else "")
    text = f"{key} ({default}){f': {meaning}' if meaning else ''}"
    return textwrap.fill(text, 100, initial_indent="  ", subsequent_indent="      ")

"""Rules between tasks: heights that pixels of a class may have."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Annotated, Any

from pydantic import BeforeValidator

from mtlaerial.config.base import Section
from mtlaerial.config.faults import Unfit, shown
from mtlaerial.config.names import require_names

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {">=": ge, ">": gt, "<=": le, "<": lt}
HIGHEST = 10_000.0
"""Metres; a larger bound is a mistaken digit or unit."""
_COMPARISON = re.compile(r"\s*([^\w\s.+-]*)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(\S.*)?")
_EXPECTED = 'a comparison with metres, such as ">= 2" or "<= 0.5"'


def _comparison(value: Any) -> str:
    """Return a comparison in its one spelling, ``OPERATOR METRES``."""
    match = _COMPARISON.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Unfit("", shown(value), _EXPECTED, "Write operator and metres, in quotes.")
    operator, number, unit = match.groups()
    if operator not in OPERATORS:
        observed = f"the operator {operator}" if operator else "no operator"
        raise Unfit("", f"{observed} in {shown(value)}", f"one of {', '.join(OPERATORS)}", "Correct the operator.")
    if unit not in (None, "m"):
        raise Unfit("", f"{shown(unit.strip())} after the number", "metres", "Convert the number to metres.")
    if abs(float(number)) > HIGHEST:
        raise Unfit("", shown(value), f"at most {HIGHEST:g} m", "Correct the number.")
    return f"{operator} {float(number):.10g}"


Comparison = Annotated[str, BeforeValidator(_comparison)]
"""Comparison with metres as text, e.g. ``>= 2``; the unit m may follow."""


@dataclass(frozen=True)
class HeightBound:
    """Bound of the heights of a class."""

    operator: str
    metres: float

    def holds(self, heights: Any) -> Any:
        """Tell of each height in metres whether it keeps the bound; NaN does not."""
        return OPERATORS[self.operator](heights, self.metres)


class ConsistencyRule(Section):
    """What the other tasks may say where a class is predicted."""

    height: Comparison
    """Heights in metres that fit the class: an operator (``>=``, ``>``, ``<=``, ``<``) and a number, in quotes."""

    @property
    def height_bound(self) -> HeightBound:
        """The bound of heights."""
        operator, number = self.height.split()
        return HeightBound(operator, float(number))


ConsistencyRules = dict[str, ConsistencyRule]
"""Rules by the name of the class."""


def require_rules(rules: ConsistencyRules, classes: Sequence[str], both: bool) -> None:
    """Refuse rules of unknown classes, and any where classes and heights are not both described.

    Raises
    ------
    Unfit
    """
    if rules and not both:
        found, expected = "rules between classes and heights", "labels and height in the specification"
        raise Unfit("consistency", found, expected, "Describe both layers, or remove the rules.")
    require_names("consistency", rules, classes)


def rules_in(params: Mapping[str, Any]) -> ConsistencyRules:
    """Return the rules that the ``params`` of a job hold, which lack them where there are none."""
    entries = params.get("consistency", {})
    return {name: ConsistencyRule.parse(entry, f"consistency.{name}") for name, entry in entries.items()}

"""Faults of a configuration in the user's words (key, value, expectation, remedy), from pydantic's reports."""

import difflib
import re
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel, ValidationError

from mtlaerial.config.annotations import ALTERNATIVE, Location, described, key_of, plain_location, sections_at
from mtlaerial.errors import ConfigError

MOST = 3
"""Faults in one message besides the first."""
EXPLAINED = 500
"""Faults that are put into words; of a file with more, the others are counted."""
LONGEST = 80
"""Characters of a value in a message."""
_REPR = reprlib.Repr()
"""Representation of values that looks at no more than their first parts."""
_REPR.maxstring = _REPR.maxother = LONGEST


class Unfit(ValueError):
    """Keys of a section that do not fit together; validators of models raise it.

    Parameters
    ----------
    key : str
        The key at fault within the section, or several; empty for the validated value itself.
    found, expected, remedy : str
        As in :class:`mtlaerial.errors.UserError`.
    """

    def __init__(self, key: str, found: str, expected: str, remedy: str = "Correct either.") -> None:
        super().__init__(f"{expected}; {key} is {found}")
        self.key, self.found, self.expected, self.remedy = key, found, expected, remedy


@dataclass(frozen=True)
class Fault:
    """One fault in words."""

    key: str
    found: str
    expected: str
    remedy: str
    covers: str = ""
    """Key whose absence it explains: that of which it is a misspelling."""


def did_you_mean(name: str, valid: Iterable[str], otherwise: str) -> str:
    """Return a question for the closest valid name as a remedy; without a close one, another remedy."""
    close = difflib.get_close_matches(name, list(valid), n=1)
    return f"Did you mean {close[0]}?" if close else otherwise


def explain(error: ValidationError, model: type[BaseModel], where: str) -> ConfigError:
    """Return pydantic's report as one error in the words of the user."""
    # Misspelled keys first: a required key that is missing is often one of them.
    unknown_first = sorted(error.errors(include_url=False), key=lambda item: item["type"] != "extra_forbidden")
    items = unknown_first[:EXPLAINED]
    faults = _distinct(
        [_fault(item, model) for item in items if not _follows(item) and not _meant_otherwise(item, items)]
    )
    first, others = faults[0], faults[1:]
    sentences = [first.remedy, *map(_briefly, others[:MOST])]
    more = len(others) - MOST + len(unknown_first) - len(items)
    if more > 0:
        sentences.append(f"And {more} more.")
    place = f"{where}, key {_shortened(first.key)}" if first.key else where
    return ConfigError(place, first.found, first.expected, " ".join(filter(None, sentences)))


def _briefly(fault: Fault) -> str:
    expected = _shortened(f"{fault.expected}.", LONGEST + 20)
    return f"Also {_shortened(fault.key)}: found {fault.found}; expected {expected}"


def shown(value: Any) -> str:
    """Return a value as a user may have written it in YAML, shortened."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return f"the date {value}"
    if isinstance(value, Mapping):
        names = ", ".join(map(str, value)) or "none"
        return _shortened(f"the keys {names}")
    return _shortened(_REPR.repr(value))


def _shortened(text: str, length: int = LONGEST) -> str:
    return f"{text[: length - 3]}..." if len(text) > length else text


def _follows(item: Any) -> bool:
    """Tell whether a list is only too short because pydantic does not count its invalid values."""
    return item["type"] == "too_short" and len(item["input"]) >= int(item["ctx"]["min_length"])


def _meant_otherwise(item: Any, items: Iterable[Any]) -> bool:
    """Tell whether a section is no listed text only because it is the other member of a union, with faults within."""
    key = key_of(plain_location(item["loc"]))
    within = any(key_of(plain_location(entry["loc"])).startswith(f"{key}.") for entry in items)
    return item["type"] == "literal_error" and isinstance(item["input"], Mapping) and within


def _distinct(faults: list[Fault]) -> list[Fault]:
    """Join the faults of one key, repetitions in a list, and missing keys that a misspelling explains."""
    covered = {fault.covers for fault in faults if fault.covers}
    by_key: dict[str, Fault] = {}
    for fault in faults:
        explained = fault.expected == MISSING and _without_indices(fault.key) in covered
        if not explained:
            by_key[fault.key] = _joined(by_key[fault.key], fault) if fault.key in by_key else fault
    by_pattern: dict[tuple[str, str], Fault] = {}
    for fault in by_key.values():
        by_pattern.setdefault((_without_indices(fault.key), fault.expected), fault)
    return list(by_pattern.values())


def _joined(first: Fault, second: Fault) -> Fault:
    """Return one fault of two alternatives that a value fits neither of."""
    alternatives = dict.fromkeys([*first.expected.split(ALTERNATIVE), *second.expected.split(ALTERNATIVE)])
    if any(words.startswith("a number ") for words in alternatives):  # which says more than the type
        alternatives.pop("a whole number", None)
    return Fault(first.key, first.found, ALTERNATIVE.join(alternatives), first.remedy, first.covers)


def _without_indices(key: str) -> str:
    return ".".join("*" if part.isdigit() else part for part in key.split("."))


MISSING = "a value"
"""Expectation of a required key."""


def _fault(item: Any, model: type[BaseModel]) -> Fault:
    """Return a line of pydantic's report as a fault."""
    location = plain_location(item["loc"])
    cause = (item.get("ctx") or {}).get("error")
    if isinstance(cause, Unfit):
        key = key_of([*location, *filter(None, [cause.key])])
        return Fault(key, _shortened(cause.found, 3 * LONGEST), cause.expected, cause.remedy)
    if item["type"] == "extra_forbidden":
        return _unknown_key(location, sections_at(model, item["loc"][:-1]))
    if item["type"] == "missing" and isinstance(location[-1], str):
        remedy = "This key is required; config/README.md explains it."
        return Fault(key_of(location), "nothing", MISSING, remedy)
    if item["type"] == "invalid_key" or (item["type"] == "string_type" and item["loc"][-1] == "[key]"):
        return Fault(key_of(location), shown(item["input"]), "text", "Put it into quotes.")
    if item["type"] in ("missing", "too_long", "too_short"):
        return _wrong_length(item, model, location)
    value, key = item["input"], key_of(location)
    expected = described(item, model, location)
    return Fault(key, shown(value), expected, _remedy(value, expected))


def _remedy(value: Any, expected: str) -> str:
    of_any_length = expected.startswith("a list of ") and not re.search(r"\d", expected)
    fits = "number" not in expected or _is_number(str(value))
    short = isinstance(value, (str, int)) and not isinstance(value, bool) and len(str(value)) <= LONGEST
    if of_any_length and fits and short:
        return f"Write [{value}]."
    if value is None and expected.startswith("a section"):
        return "Remove the key, or indent its keys below it."
    if isinstance(value, str) and "number" in expected and _is_number(value):
        return "Write it without quotes."
    if isinstance(value, (date, int, float)) and expected == "text":
        return "Put it into quotes."
    if isinstance(value, bool) and "number" in expected:
        return "YAML reads yes, on and true alike as true: write a number."
    return "Correct the value."


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _wrong_length(item: Any, model: type[BaseModel], location: Location) -> Fault:
    """Return the fault of a list with too many or too few values; pydantic reports the first missing one."""
    place = location[:-1] if item["type"] == "missing" else location
    expected = described({**item, "type": "tuple_type"}, model, place)
    context = item.get("ctx") or {}
    if not re.search(r"\d", expected):
        bound = context.get("min_length") if item["type"] == "too_short" else context.get("max_length")
        extreme = "at least" if item["type"] == "too_short" else "at most"
        expected = f"{expected}, {extreme} {bound}"
    return Fault(key_of(place), shown(item["input"]), expected, "Correct the list.")


def _unknown_key(location: Location, sections: list[type[BaseModel]]) -> Fault:
    """Return the fault of a key that is not in a section; the remedy names the new key of a renamed one."""
    key, name = key_of(location), str(location[-1])
    renamed = {old: new for section in sections for old, new in getattr(section, "RENAMED", {}).items()}
    if name in renamed:
        return Fault(key, "a key that was renamed", renamed[name], f"Write {renamed[name]} instead of {name}.")
    valid = sorted(key for section in sections for key in section.model_fields)
    remedy = did_you_mean(name, valid, "Remove it.")
    closest = difflib.get_close_matches(name, valid, n=1)
    covers = _without_indices(key_of([*location[:-1], *closest])) if closest else ""
    expected = f"one of {', '.join(valid)}" if valid else "no such key"
    return Fault(key, "an unknown key", expected, remedy, covers)

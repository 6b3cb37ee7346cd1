"""The base of all configuration models: frozen, no unknown keys, and errors that name the closest valid key."""

import difflib
from collections.abc import Mapping
from typing import Any, ClassVar, Self, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from mtlaerial.errors import ConfigError


class Section(BaseModel):
    """One section of the configuration: immutable, and closed to unknown keys."""

    RENAMED: ClassVar[Mapping[str, str]] = {}
    """New names of renamed keys by their old ones."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, use_attribute_docstrings=True)

    @classmethod
    def parse(cls, data: Mapping[str, Any], where: str) -> Self:
        """Validate plain data; describe each fault in one sentence.

        Parameters
        ----------
        data : mapping
            The section as read from YAML.
        where : str
            The file or key that the data came from, for messages.

        Raises
        ------
        ConfigError
            For unknown keys (with the closest valid one), missing keys and wrong values.
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise explain(error, cls, where) from None


def renamed_value(old: str, new: str) -> BeforeValidator:
    """Return a validator that refuses the old name of a value and names the new one."""

    def refuse(value: Any) -> Any:
        if value == old:
            raise ValueError(f"{new}, the new name of {old}")
        return value

    return BeforeValidator(refuse)


def explain(error: ValidationError, model: type[BaseModel], where: str) -> ConfigError:
    """Return pydantic's report as one error in the words of the user."""
    # Misspelled keys first: a required key that is missing is often one of them.
    unknown_first = sorted(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
    faults = [_Fault.of(item, model) for item in unknown_first]
    first = faults[0]
    others = "".join(f" Also {f.key}: found {f.given}; expected {f.expected}." for f in faults[1:])
    return ConfigError(f"{where}, key {first.key}", first.given, first.expected, first.remedy + others)


class _Fault:
    """One line of pydantic's report, in words."""

    def __init__(self, key: str, given: str, expected: str, remedy: str) -> None:
        self.key, self.given, self.expected, self.remedy = key, given, expected, remedy

    @classmethod
    def of(cls, item: Any, model: type[BaseModel]) -> "_Fault":
        location = [part for part in item["loc"] if not str(part).startswith("function-")]
        key = ".".join(map(str, location)) or "(top)"
        if item["type"] == "extra_forbidden":
            return cls.unknown_key(key, str(location[-1]), _sections_at(model, location[:-1]))
        if item["type"] == "missing":
            return cls(key, "nothing", "a value", "This key is required; config/README.md explains it.")
        expected = item["msg"].removeprefix("Value error, ")
        given = "values that do not fit together" if isinstance(item["input"], Mapping) else repr(item["input"])
        given = f"{given[:77]}..." if len(given) > 80 else given
        return cls(key, given, expected[:1].lower() + expected[1:], "Correct the value.")

    @classmethod
    def unknown_key(cls, key: str, name: str, sections: "list[type[BaseModel]]") -> "_Fault":
        """Return the fault of a key that is not in a section; the remedy names the new key of a renamed one."""
        renamed = {old: new for section in sections for old, new in getattr(section, "RENAMED", {}).items()}
        if name in renamed:
            return cls(key, "a key that was renamed", renamed[name], f"Write {renamed[name]} instead of {name}.")
        valid = sorted(key for section in sections for key in section.model_fields)
        close = difflib.get_close_matches(name, valid, n=1)
        hint = f"Did you mean {close[0]}?" if close else "Remove it."
        return cls(key, "an unknown key", f"one of {', '.join(valid)}" if valid else "no such key", hint)


def _sections_at(model: type[BaseModel], location: list[Any]) -> list[type[BaseModel]]:
    """Return the models of the section that a pydantic location leads to."""
    current: Any = model
    for part in location:
        if get_origin(current) is dict:
            current = get_args(current)[1]
            continue
        for candidate in _models_in(current):
            if part in candidate.model_fields:
                current = candidate.model_fields[part].annotation
                break
    return _models_in(current)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return every model class that appears in a type annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]


def merge(base: Mapping[str, Any], *overlays: Mapping[str, Any]) -> dict[str, Any]:
    """Merge mappings deeply; the last wins; lists are replaced, as Snakemake does with ``--configfile``."""
    merged = dict(base)
    for overlay in overlays:
        for key, value in overlay.items():
            both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
            merged[key] = merge(merged[key], value) if both else value
    return merged

"""The base of all configuration models: frozen, strict, no unknown keys; and the merging of overlays."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema

from mtlaerial.config.faults import explain
from mtlaerial.config.numbers import FROM_USER, strict_scalars


class Section(BaseModel):
    """One section of the configuration: immutable, and closed to unknown keys and to values of other types."""

    RENAMED: ClassVar[Mapping[str, str]] = {}
    """New names of renamed keys by their old ones."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, use_attribute_docstrings=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of the section, with numbers that are no booleans or texts."""
        schema: CoreSchema = strict_scalars(handler(source))
        return schema

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
            return cls.model_validate(data, context=FROM_USER)
        except ValidationError as error:
            raise explain(error, cls, where) from None


def is_none(value: Any) -> bool:
    """Tell whether a value is None, of a key that plain data then leave out.

    Files and fingerprints are then those of versions without the key.
    """
    return value is None


def is_empty(value: Any) -> bool:
    """Tell whether a value is 0 or has no entries, of a key that plain data then leave out; see :func:`is_none`."""
    return not value


def renamed_value(old: str, new: str) -> BeforeValidator:
    """Return a validator that refuses the old name of a value and names the new one."""

    def refuse(value: Any) -> Any:
        if value == old:
            raise ValueError(f"{new}, the new name of {old}")
        return value

    return BeforeValidator(refuse)


def merge(base: Mapping[str, Any], *overlays: Mapping[str, Any]) -> dict[str, Any]:
    """Merge mappings deeply; the last wins; lists are replaced, as Snakemake does with ``--configfile``."""
    merged = dict(base)
    for overlay in overlays:
        for key, value in overlay.items():
            both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
            merged[key] = merge(merged[key], value) if both else value
    return merged

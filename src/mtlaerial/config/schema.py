"""JSON schemas of the YAML files, for editors: ``python -m mtlaerial.config.schema config/schemas``."""

import json
import re
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from mtlaerial.config.dataset import DatasetSpec
from mtlaerial.config.project import ProjectConfig
from mtlaerial.config.recipe import Recipe

CONFIGURATION = "configuration.json"
DATASET = "dataset.json"
_RECIPE = {"$ref": "#/$defs/Recipe"}
_CHANGES: dict[tuple[str, str], dict[str, Any]] = {
    ("DatasetEntry", "recipe"): _RECIPE,
    ("DatasetEntry", "overrides"): {"type": "object", "additionalProperties": _RECIPE},
    ("DatasetSpec", "recipe"): _RECIPE,
    ("MethodSpec", "overrides"): _RECIPE,
}
"""Types of the keys that hold changes to a recipe, which the models keep as plain data, by model and key."""
_TABLE = {
    "additionalProperties": False,
    "properties": {"csv": {"description": "CSV file beside this one that lists the tiles.", "type": "string"}},
    "required": ["csv"],
    "type": "object",
}
"""Tiles in a CSV file, in place of those written out."""


def configuration_schema() -> dict[str, Any]:
    """Return the schema of configurations and overlays: no key is required, as an overlay has any part of them."""
    schema = _model_schema(ProjectConfig, "Configuration of mtlaerial, or an overlay")
    for definition in schema["$defs"].values():
        _make_partial(definition)
    return schema


def dataset_schema() -> dict[str, Any]:
    """Return the schema of data sets' specifications; their changes to a recipe may have any part of it."""
    schema = _model_schema(DatasetSpec, "Specification of a data set")
    definitions = schema["$defs"]
    for name in _reachable("Recipe", definitions):
        _make_partial(definitions[name])
    properties = definitions["DatasetSpec"]["properties"]
    for key in ("splits", "areas"):
        groups = properties[key]
        shown = {name: groups.pop(name) for name in ("default", "description") if name in groups}
        properties[key] = {**shown, "anyOf": [groups, _TABLE]}
    return schema


def write_schemas(folder: Path) -> None:
    """Write both schemas into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in ((CONFIGURATION, configuration_schema()), (DATASET, dataset_schema())):
        (folder / name).write_text(as_text(schema), encoding="utf-8")


def as_text(schema: dict[str, Any]) -> str:
    """Return a schema as JSON."""
    return json.dumps(schema, indent=1, sort_keys=True) + "\n"


def _model_schema(model: type[BaseModel], title: str) -> dict[str, Any]:
    """Return the schema of a model, with recipes in place of plain data and descriptions without markup."""
    _, schema = models_json_schema([(model, "validation"), (Recipe, "validation")])
    definitions = schema["$defs"]
    for (name, key), changes in _CHANGES.items():
        if name in definitions:
            field = definitions[name]["properties"][key]
            definitions[name]["properties"][key] = {**changes, "description": field["description"]}
    used = _reachable(model.__name__, definitions)
    tidied = {name: _tidied(definition) for name, definition in definitions.items() if name in used}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$ref": f"#/$defs/{model.__name__}",
        "title": title,
        "$defs": tidied,
    }


def _make_partial(definition: dict[str, Any]) -> None:
    """Let a definition require no key; with several kinds of a section one that fits is then enough."""
    definition.pop("required", None)
    for part in _mappings(definition):
        if "oneOf" in part:
            part["anyOf"] = part.pop("oneOf")


def _tidied(definition: dict[str, Any]) -> dict[str, Any]:
    """Return a definition in the draft that editors know best, with descriptions on one line as Markdown."""
    for part in _mappings(definition):
        if "prefixItems" in part:  # of a later draft
            part["items"] = part.pop("prefixItems")
        if "patternProperties" in part:  # else any other name would pass, with any value
            part["additionalProperties"] = False
        if isinstance(part.get("title"), str):
            del part["title"]
        if isinstance(part.get("description"), str):
            text = re.sub(r":\w+:`~?([^`]+)`", r"``\1``", part["description"])
            part["description"] = " ".join(text.replace("``", "`").split())
    return definition


def _reachable(name: str, definitions: dict[str, Any]) -> set[str]:
    """Return the names of the definitions that one refers to, itself among them."""
    names, pending = set[str](), [name]
    while pending:
        current = pending.pop()
        if current not in names:
            names.add(current)
            references = (part.get("$ref") for part in _mappings(definitions[current]))
            pending += [text.rsplit("/", 1)[1] for text in references if isinstance(text, str)]
    return names


def _mappings(value: Any) -> list[dict[str, Any]]:
    """Return all mappings within a value, itself among them."""
    if isinstance(value, dict):
        return [value, *(part for item in value.values() for part in _mappings(item))]
    return [part for item in value for part in _mappings(item)] if isinstance(value, list) else []


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))

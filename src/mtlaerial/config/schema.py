"""The JSON schema of the YAML files, for editors: ``python -m mtlaerial.config.schema > config/schema.json``."""

import json

from pydantic.json_schema import models_json_schema

from mtlaerial.config.dataset import DatasetSpec
from mtlaerial.config.project import ProjectConfig


def schema() -> str:
    """Return the schema of :class:`ProjectConfig` and :class:`DatasetSpec`, either of which a file may be, as JSON."""
    places, definitions = models_json_schema(
        [(ProjectConfig, "validation"), (DatasetSpec, "validation")],
        title="mtlaerial: configuration, and specification of a data set",
    )
    either = [places[model, "validation"] for model in (ProjectConfig, DatasetSpec)]
    return json.dumps({"anyOf": either, **definitions}, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    print(schema(), end="")

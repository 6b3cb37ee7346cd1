"""A configuration and specifications with every key, and another valid value of each key."""

import json
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from mtlaerial.config import WeightingSpec, merge
from mtlaerial.config.consistency import ConsistencyRule
from mtlaerial.config.encoder import EncoderSpec
from mtlaerial.config.ensemble import TAKEN
from mtlaerial.config.height_head import BinsSpec
from mtlaerial.config.label_efficiency import LabelEfficiency
from mtlaerial.config.mapping import MapSpec
from mtlaerial.config.recipe_overlay import RecipeOverlay
from mtlaerial.config.sources import PackageFileSpec, WeightsInput
from mtlaerial.config.start import StartSpec
from mtlaerial.config.transfer import TransferSpec
from support import tiny

WHOLE = (
    *(WeightingSpec, EncoderSpec, StartSpec, BinsSpec, LabelEfficiency, PackageFileSpec, WeightsInput, RecipeOverlay),
    *(ConsistencyRule, MapSpec, TransferSpec),
)
"""Sections whose keys decide the same stages: the tables have them as one key."""
CLASSES = [{"name": name, "colour": [code, 0, 0], "values": [code]} for code, name in enumerate(("ground", "house"), 1)]
TILES: dict[str, Any] = {
    "title": "Town", "licence": "none", "obtain": "Ask.", "gsd": 0.5, "crs": "EPSG:32631",
    "tile_name": "{place}_{number}",
    "image": {"files": ["images/{tile}.tif"]},
    "height": {"files": ["height/{tile}.tif"]},
    "labels": {"files": ["labels/{tile}.tif"], "classes": CLASSES, "eroded": {"files": ["eroded/{tile}.tif"]}},
    "archives": [{"file": "a.zip", "page": "https://example.org", "holds": "images"}],
    "published": [{"name": "Net", "source": "Book", "url": "https://example.org", "scores": {"OA": 0.5}}],
    "splits": tiny.SPLITS,
    "consistency": {"house": {"height": ">= 2"}},
}  # fmt: skip
MOSAIC = {
    "image": {"files": ["image.tif"]},
    "height": {"files": None, "surface": ["dsm.tif"], "ground": ["dtm.tif"]},
}
KINDS: list[dict[str, Any]] = [
    {},
    {"encoder": "densenet121", "decoder": {"finest": 1}, "context": {}},
    {"name": "packaged", "options": {"width": 8}},
]
"""A network of each kind."""
AREAS = {"north": ["city_1", "city_2"], "south": ["city_3", "city_4"]}
SPECIFICATIONS = [
    TILES,
    merge(TILES, MOSAIC, {"grid": {"size": [64, 64]}}),
    merge(TILES, MOSAIC, {"footprints": {"files": ["tiles.gpkg"]}}),
    {**TILES, "splits": {}, "areas": AREAS, "buffer": 5.0},
]
"""Together they have every section."""
SPLITS = {"train": ["city_1"], "val": ["city_3", "city_8"], "test": ["city_4", "city_2", "city_9"]}
RGB = {"encoding": "rgb", "classes": [{**entry, "values": [entry["colour"]]} for entry in CLASSES]}
VALUES: dict[str, Any] = {
    "models.*.encoder": "convnext_tiny",
    "training.height_head": "log1p",
    "pretrained.*.encoder": "efficientnet_lite0",
    "pretrained.*.package": {"name": "weights", "path": "weights/net.pth"},
    "pretrained.*.input": {"bands": ["nir"], "mean": [0], "deviation": [255]},
    "methods.*.recipe": {"name": "compact", "keys": {"training": {"batch": 4}, "prediction": {"stride": 64}}},
    "map": {"run": "town", "images": ["images"]},
    "model": "small",
    "run.steps": [["both", "other"]],
    "run.transfer": [{"trained_on": "town", "tested_on": "made"}],
    "run.label_efficiency": {"height": {"single": ["other"], "joint": ["both"]}},
    "recipe_overlay": {"name": "compact", "keys": {"training": {"batch": 4}}},
    "loggers": ["tensorboard"],
    "splits": SPLITS,
    "areas": {"north": ["city_1"], "south": ["city_3", "city_2", "city_9"]},
    "labels.encoding": RGB,
    "consistency": {"house": {"height": ">= 3"}},
    "methods.*.trained_as": {"trained_as": "other"},
    "methods.*.weighting": {"name": "dwa"},
    "datasets.*.spec": "other.yaml",
    "datasets.*.hold_out": ["city_2"],
    "datasets.*.methods": ["other"],
    "height.optional": ["train"],
    "labels.optional": ["train"],
    "training.labelled": {"semantics": 25},
    "prediction.views": ["mirror"],
    "prediction.spread": ["overlap"],
    "prediction.layers": ["entropy"],
    "scoring.without_classes": ["house"],
    "scoring.class_sets": {"low": ["ground"], "tall": ["house"]},
    "published.without_classes": ["house"],
}
"""New values that cannot be guessed; dictionaries replace or complete the section that the key is in."""
PART_OF_THE_TRUTH = {"truth_patches": 1, "labelled": {"semantics": 50}, "labelled_block": 64, "labelled_seed": 1}
"""Keys that plain data leave out where they are not stated."""
NEEDED: dict[str, dict[str, Any]] = {
    "scoring.class_sets": {"scoring": {"class_sets": {"built": ["house"], "open": ["ground"]}}},
    "training.patience": {"training": {"selection": "best"}},
    # Plain data leave them out where they are not stated.
    "training.cuda_graphs": {"training": {"compile": True, "cuda_graphs": True}},
    "prediction.engine": {"prediction": {"engine": "inductor"}},
    "training.augmentation.mirror_along_sun": {"training": {"augmentation": {"flip": False}}},
}
"""Values of other keys without which no other value of a key is valid."""


def as_stated(data: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration, or a specification, whose ensembles state what a user may state of them."""
    methods = data.get("methods") or {}
    for method in methods.values():
        if method["ensemble"]:
            for key in TAKEN:
                method.pop(key, None)
    return data


def models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in models_in(argument)]


def keys_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the keys of a model down to those whose values are no sections."""
    for name, field in model.model_fields.items():
        sections = [section for section in models_in(field.annotation) if section not in WHOLE]
        star = ".*" if get_origin(field.annotation) is dict and sections else ""
        for section in sections:
            yield from keys_of(section, f"{prefix}{name}{star}.")
        if not sections:
            yield f"{prefix}{name}"


def literals(model: type[BaseModel], names: list[str]) -> list[Any]:
    """Return the values that a key may have, where they are listed."""

    def listed(annotation: Any) -> list[Any]:
        if get_origin(annotation) is Literal:
            return list(get_args(annotation))
        return [value for argument in get_args(annotation) for value in listed(argument)]

    annotation: Any = model
    for name in names:
        section = next((entry for entry in models_in(annotation) if name in entry.model_fields), None)
        annotation = section.model_fields[name].annotation if section else annotation
    return listed(annotation)


def others(value: Any) -> Iterator[Any]:
    """Yield candidates for another valid value, similar to the given one."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value + 1, value + 10, value * 2, value / 2, value + 0.25)
    elif isinstance(value, str):
        yield from (f"{value}x", "1" * 64, "small", "weights")
    elif isinstance(value, list) and value:
        yield from ([new, *value[1:]] for new in others(value[0]))
        yield value[:1]
    elif isinstance(value, dict) and value:
        name, first = next(iter(value.items()))
        yield from ({**value, name: new} for new in others(first))
    yield from ("x", 1, 0.5, ["x"], [77], "0" * 32, "0" * 64, {"height": 1.0}, "{west}_{south}", "https://example.com")


def parent(data: Any, names: list[str]) -> Any:
    """Return the section that a key is in: of named and listed ones the first; None where there is none."""
    for name in names:
        data = next(iter(data.values())) if name == "*" and data else (data or {}).get(name)
        data = data[0] if isinstance(data, list) and data else data
    return data


def changed(data: dict[str, Any], model: type[BaseModel], key: str) -> Iterator[dict[str, Any]]:
    """Yield valid data in which one key has another value."""
    before, names = as_stated(model.model_validate(data).model_dump(mode="json")), key.split(".")
    old = parent(before, names[:-1])
    if not isinstance(old, dict) or names[-1] not in old:
        return
    candidates = [VALUES[key]] if key in VALUES else [*literals(model, names), *others(old[names[-1]])]
    for value in candidates:
        after = json.loads(json.dumps(before))
        section = parent(after, names[:-1])
        if key == "methods.*.trained_as":
            section.clear()
        section.update(value if key in ("methods.*.trained_as", "labels.encoding") else {names[-1]: value})
        try:
            parsed = as_stated(model.model_validate(after).model_dump(mode="json"))
        except ValueError:
            continue
        if parsed != before:
            yield after

"""The tables of keys and stages: they name every key, and the params of exactly these rules change with the key."""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from mtlaerial.config import DatasetSpec, ProjectConfig, Section, TrainingSpec, WeightingSpec, merge
from mtlaerial.config.configuration_stages import CONFIGURATION_STAGES
from mtlaerial.config.consistency import ConsistencyRule
from mtlaerial.config.decisive_keys import STAGES, decisive, indecisive
from mtlaerial.config.encoder import NETWORKS, EncoderSpec
from mtlaerial.config.ensemble import TAKEN
from mtlaerial.config.height_head import BinsSpec
from mtlaerial.config.label_efficiency import LabelEfficiency
from mtlaerial.config.mapping import MapSpec
from mtlaerial.config.recipe_overlay import RecipeOverlay
from mtlaerial.config.sources import PackageFileSpec, WeightsInput
from mtlaerial.config.specification_stages import SPECIFICATION_STAGES
from mtlaerial.config.start import StartSpec
from mtlaerial.config.transfer import TransferSpec
from mtlaerial.errors import ConfigError
from mtlaerial.pipeline.context_params import Context, dataset_in, plan_in
from mtlaerial.pipeline.decisive_params import Decisive
from mtlaerial.pipeline.project import Project
from support import tiny

Job = tuple[str, tuple[tuple[str, str], ...]]
"""A rule and the wildcards of a job."""
WHOLE = (
    *(WeightingSpec, EncoderSpec, StartSpec, BinsSpec, LabelEfficiency, PackageFileSpec, WeightsInput, RecipeOverlay),
    *(ConsistencyRule, MapSpec, TransferSpec),
)
"""Sections whose keys decide the same stages: the tables have them as one key."""
OVERLAYS = {"recipe", "datasets.*.recipe", "datasets.*.overrides", "methods.*.overrides"}
"""Keys for changes of ``training``, ``prediction`` and ``scoring``."""
OF_ENSEMBLES = {"methods.*.ensemble.members", "methods.*.ensemble.seeds", "methods.*.ensemble.heights"}
"""Keys of a method that not every method has; they have a test of their own."""
CONSTANT = {"models.*.name"}
"""Keys that have one valid value."""
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
OF_DATASETS = ("locate_held_out", "summarise_tiles", "layout_figure")
"""Rules with a job per data set or fold."""
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


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return a configuration with every key: a generated data set, and one whose archive is not unpacked."""
    monkeypatch.chdir(tmp_path)
    tiny.write_zip(Path("town/a.zip"), {"readme.txt": b""})
    Path("other.yaml").write_text(json.dumps(TILES))
    method = {"tasks": ["semantics", "height"], "model": "net"}
    data = {
        "run": {"datasets": ["town", "made"], "methods": ["both", "other", "mean"], "seeds": [0]},
        "resume": "states",
        "dashboard": {},
        "calibration": {},
        "objects": {"classes": ["roof"]},
        "training": {"budget": {"minutes": 10}, **PART_OF_THE_TRUTH},
        "datasets": {
            "made": {"spec": "made.yaml", "root": "made", "generate": {}},
            "town": {"spec": "town.yaml", "root": "town"},
        },
        "models": {"net": {}, "small": {"head": [8, 8]}},
        "methods": {
            "both": method,
            "other": {**method, "tasks": ["height"]},
            "mean": {"ensemble": {"members": ["other"]}},
        },
        "pretrained": {"weights": {"url": "https://example.org", "sha256": "0" * 64}},
    }
    return as_stated(ProjectConfig.parse(data, "test").model_dump(mode="json"))


def as_stated(data: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration, or a specification, whose ensembles state what a user may state of them."""
    methods = data.get("methods") or {}
    for method in methods.values():
        if method["ensemble"]:
            for key in TAKEN:
                method.pop(key, None)
    return data


def project(configuration: Mapping[str, Any], specification: Mapping[str, Any]) -> Project:
    for name in ("town", "made"):
        Path(f"{name}.yaml").write_text(json.dumps(specification))
    return Project.of(configuration)


def jobs(project: Project) -> Iterator[Job]:
    """Yield every job whose rule has params."""
    wildcards: list[tuple[str, dict[str, str]]] = [(rule, {}) for rule in ("tables", "label_efficiency", "report")]
    wildcards += [("synthesise", {"root": root}) for root in project.generated]
    wildcards += [("fetch_pretrained", {"weights": name}) for name in project.config.pretrained]
    pending = [mark for mark, archive in project.archives.items() if archive.pending]
    wildcards += [("unpack_archive", {"mark": mark.removesuffix(".json")}) for mark in pending]
    for dataset, source in project.sources.items():
        wildcards += [(rule, {"dataset": dataset}) for rule in ("check_splits", "tradeoff")]
        wildcards += [("check_tile", {"dataset": dataset, "tile": tile}) for tile in source.spec.tiles]
    for dataset, source in project.datasets.items():
        wildcards += [(rule, {"dataset": dataset}) for rule in OF_DATASETS]
        places = [{"dataset": project.tile_source(dataset, tile), "tile": tile} for tile in source.spec.tiles]
        wildcards += [("prepare_tile", place) for place in places]
        methods = [{"dataset": dataset, "method": method} for method in project.methods(dataset)]
        wildcards += [("figures", method) for method in methods]
        runs = [{**each, "seed": str(seed)} for each in methods for seed in project.config.seeds(each["method"])]
        wildcards += [(rule, run) for run in runs for rule in ("predict", "calibrate", "vectorise", "score")]
        joined = [run for run in runs if project.config.methods[run["method"]].ensemble]
        wildcards += [("describe_ensemble" if run in joined else "describe_run", run) for run in runs]
        trained = project.trainings()
        wildcards += [("measure_rate", run) for run in methods if (dataset, run["method"]) in trained]
        wildcards += [("train", run) for run in runs if (dataset, run["method"]) in trained]
    for rule, values in wildcards:
        yield rule, tuple(values.items())


def params(project: Project) -> dict[Job, Any]:
    return {job: getattr(Decisive(project), job[0])(**dict(job[1])) for job in jobs(project)}


def repeated(before: Project, after: Project) -> set[str]:
    """Return the rules whose jobs, of those there before and after, have changed params."""
    old, new = params(before), params(after)
    return {job[0] for job in old.keys() & new.keys() if repr(old[job]) != repr(new[job])}


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


def test_tables_name_every_key_and_no_other() -> None:
    assert set(keys_of(ProjectConfig)) == set(CONFIGURATION_STAGES)
    assert set(keys_of(DatasetSpec)) == set(SPECIFICATION_STAGES)


@pytest.mark.quick_cases(24, "the table of stages is one rule for all keys")
@pytest.mark.parametrize("key", sorted(set(STAGES) - OVERLAYS - CONSTANT - OF_ENSEMBLES))
def test_a_key_repeats_exactly_its_stages(
    key: str, configuration: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NETWORKS.builtin, "packaged", "package:build")  # type: ignore[arg-type]  # a dict
    in_configuration = key.split(".", maxsplit=1)[0] in ProjectConfig.model_fields
    networks = KINDS if key.startswith("models.") else KINDS[:1]
    configuration = merge(configuration, NEEDED.get(key, {}))
    for specification, network in product(SPECIFICATIONS, networks):
        configuration["models"]["net"] = network
        model: type[Section] = ProjectConfig if in_configuration else DatasetSpec
        for data in changed(configuration if in_configuration else specification, model, key):
            before = project(configuration, specification)
            try:
                after = project(data, specification) if in_configuration else project(configuration, data)
            except ConfigError:  # e.g. a patch that is no multiple of the model's
                continue
            assert repeated(before, after) == set(STAGES[key])
            return
    pytest.fail(f"no other value of {key} is valid")


@pytest.mark.parametrize("ensemble", [{"members": ["both"]}, {"seeds": "all"}, {"heights": "median"}])
def test_keys_of_an_ensemble_repeat_the_description_and_the_maps_of_an_ensemble(
    ensemble: dict[str, Any], configuration: dict[str, Any]
) -> None:
    configuration["run"]["seeds"] = [0, 1]
    before = project(configuration, TILES)
    after = project(merge(configuration, {"methods": {"mean": {"ensemble": ensemble}}}), TILES)
    (key,) = ensemble
    assert repeated(before, after) == set(STAGES[f"methods.*.ensemble.{key}"])


CHANGES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "recipe": lambda overlay: {"datasets": {"town": {"recipe": overlay}}},
    "overrides": lambda overlay: {"methods": {"both": {"overrides": overlay}}},
    "overrides of a data set": lambda overlay: {"datasets": {"town": {"overrides": {"both": overlay}}}},
}
"""Places for changes of the recipe in a configuration."""


@pytest.mark.parametrize("place", ["specification", *CHANGES])
def test_an_overlay_repeats_the_stages_of_its_keys(place: str, configuration: dict[str, Any]) -> None:
    before = project(configuration, TILES)
    for overlay in ({"training": {"batch": 4}}, {"prediction": {"stride": 64}}, {"scoring": {"height_bins": [3]}}):
        if place == "specification":
            after = project(configuration, {**TILES, "recipe": overlay})
        else:
            after = project(merge(configuration, CHANGES[place](overlay)), TILES)
        ((first, keys),) = overlay.items()
        stages = set(STAGES[f"{first}.{next(iter(keys))}"])
        # An override of one method is none of the ensemble, which is another one.
        assert repeated(before, after) == stages - ({"describe_ensemble"} if "overrides" in place else set())


def test_network_of_methods_that_name_none_trains_them_again(configuration: dict[str, Any]) -> None:
    configuration["methods"]["both"]["model"] = None
    before, after = (project({**configuration, "model": name}, TILES) for name in ("net", "small"))
    assert repeated(before, after) == set(STAGES["methods.*.model"])


def test_a_key_that_the_table_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Extended(TrainingSpec):
        momentum: float = 0.9

    with pytest.raises(KeyError, match=r"training\.momentum: name the stages"):
        decisive("train", Extended(), "training")


def test_titles_decide_no_training() -> None:
    assert indecisive("train", ("title", "gsd", "pixels")) == {"title"}
    assert indecisive("train", ("name", "pixels"), "labels.classes") == {"name"}


def test_params_are_plain_data_and_complete(configuration: dict[str, Any]) -> None:
    """Jobs on other machines get them as JSON; scripts build data set and plan from them again."""
    planned = project(configuration, TILES)
    run = {"dataset": "town", "method": "both", "seed": "0"}
    params = {"decisive": Decisive(planned).train(**run), "context": Context(planned).train(**run)}
    params = json.loads(json.dumps(params))
    assert plan_in(params) == planned.plan("town", "both", 0)
    assert dataset_in(params["context"]) == planned.datasets["town"]
    for rule, wildcards in jobs(planned):
        json.dumps(getattr(Decisive(planned), rule)(**dict(wildcards)))
        if hasattr(Context, rule):
            json.dumps(getattr(Context(planned), rule)(**dict(wildcards)))


def test_new_keys_of_published_weights_fetch_nothing_again(configuration: dict[str, Any]) -> None:
    """Trainings that begin with them would be repeated too."""
    before = {"sha256": configuration["pretrained"]["weights"]["sha256"]}
    assert Decisive(project(configuration, TILES)).fetch_pretrained("weights") == before


def test_what_changes_a_rate_changes_the_weights_too() -> None:
    """A run is finished by its fingerprint alone: one with a rate of another recipe must have another."""
    assert not [key for key, stages in STAGES.items() if "measure_rate" in stages and "train" not in stages]


def test_style_and_noise_at_their_defaults_generate_nothing_again(configuration: dict[str, Any]) -> None:
    """Earlier versions lack these keys; all that was trained on their data would be repeated."""
    before = {"seed": 0, "size": 512, "vary": 0.0, "ground_truth_gsd": {}}
    assert Decisive(project(configuration, TILES)).synthesise("made")["generate"] == before
    configuration["datasets"]["made"]["generate"] |= {"style": "organic", "noise": {"image": 0.02}}
    noise = {"image": 0.02, "height": 0.0, "labels": 0.0}
    after = {**before, "style": "organic", "noise": noise}
    assert Decisive(project(configuration, TILES)).synthesise("made")["generate"] == after

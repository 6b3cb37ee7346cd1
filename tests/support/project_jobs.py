"""Jobs of a project whose rules have params, and those that other keys repeat."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mtlaerial.pipeline.decisive_params import Decisive
from mtlaerial.pipeline.project import Project

Job = tuple[str, tuple[tuple[str, str], ...]]
"""A rule and the wildcards of a job."""
OF_DATASETS = ("locate_held_out", "summarise_tiles", "layout_figure")
"""Rules with a job per data set or fold."""


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

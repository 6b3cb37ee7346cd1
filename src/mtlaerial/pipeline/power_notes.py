"""Notes on what the comparisons of a configuration can tell, given its seeds, test tiles and methods."""

from collections.abc import Iterator
from dataclasses import replace

from mtlaerial.config.comparison import ComparisonSpec, percent
from mtlaerial.pipeline.joint_methods import first_fold, joint_methods, learned_truth
from mtlaerial.pipeline.project import Project
from mtlaerial.reporting.inference.power import POWER, Design, detectable_effect, equivalence_margin

MORE_SEEDS, FEWER_METHODS = 8, 4
"""Of the designs that a note compares with."""


def power_notes(project: Project) -> Iterator[str]:
    """Yield a sentence for each comparison that may stay without a verdict, before anything is trained.

    That is where methods may differ by more than ``run.comparison.margin``, or by nothing, and the chance of a verdict
    is below 80 %.
    """
    comparison = project.config.run.comparison
    for name in project.sources:
        for subject, methods in _comparisons(project, name).items():
            design = Design(len(project.config.run.seeds), _test_tiles(project, name), methods)
            yield from _note(f"{name}, {subject}", design, comparison)


def _comparisons(project: Project, name: str) -> dict[str, int]:
    """Return the number of methods that each comparison on a data set has, by the subject of the comparison."""
    fold = first_fold(project, name)
    learned = {method: learned_truth(project, fold, method) for method in project.methods(fold)}
    alike = joint_methods(project, fold)
    equal = [method for method in alike if project.config.methods[method].weighting.name == "equal"]
    single = [shares for shares in learned.values() if len(shares) == 1]
    numbers = {}
    if equal and len(alike) > 1:
        numbers[f"weightings beside {equal[0]}"] = len(alike) - 1
    if alike and all({task: share} in single for task, share in learned[alike[0]].items()):
        numbers["several tasks at once beside each alone"] = len(alike)
    if any(set(chain) & set(learned) for chain in project.config.run.steps):
        numbers["steps, each by itself"] = 1
    if project.config.run.label_efficiency:
        numbers["label efficiency, each share by itself"] = 1
    return numbers


def _test_tiles(project: Project, name: str) -> int:
    """Return the number of test tiles of a data set, of all its folds."""
    folds = [dataset for fold, dataset in project.datasets.items() if project.source(fold) == name]
    return sum(len(dataset.spec.splits.get("test", ())) for dataset in folds)


def _note(subject: str, design: Design, comparison: ComparisonSpec) -> Iterator[str]:
    seeds, tiles, methods = design.seeds, design.tiles, design.comparisons
    size = f"{_count(seeds, 'seed')}, {_count(tiles, 'test tile')}, {_count(methods, 'comparison')}"
    if not design.testable:
        yield f"Power ({subject}; {size}): no intervals and no verdicts; that takes two seeds and two test tiles."
        return
    noise = comparison.noise
    effect, margin = detectable_effect(design, noise), equivalence_margin(design, noise)
    if max(effect, margin) <= comparison.margin:
        return
    larger = replace(design, seeds=max(seeds, MORE_SEEDS), comparisons=min(methods, FEWER_METHODS))
    instead = ""
    if larger != design:
        counts = f"{_count(larger.seeds, 'seed')} and {_count(larger.comparisons, 'comparison')}"
        instead = f" With {counts} the effect would be {percent(detectable_effect(larger, noise))}."
    yield (
        f"Power ({subject}; {size}): the minimal detectable effect is {percent(effect)}, the smallest margin of "
        f"equivalence ±{percent(margin)} (power {percent(POWER)}); run.comparison.margin is "
        f"±{percent(comparison.margin)}.{instead} Assumed deviations (run.comparison.noise): {noise.text}."
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

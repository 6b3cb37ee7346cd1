"""Notes on the rows that are ensembles."""

from collections.abc import Iterator, Sequence

from mtlaerial.scoring.scores import Scores


def ensemble_notes(runs: Sequence[Scores], methods: Sequence[str]) -> Iterator[str]:
    """Yield a sentence on each of some methods that is an ensemble: its members, and its number of maps."""
    for method in methods:
        maps = [run for run in runs if run.method == method and run.ensemble]
        if maps:
            yield _note(method, maps)


def _note(method: str, maps: Sequence[Scores]) -> str:
    seeds: dict[str, list[str]] = {}
    for name in maps[0].ensemble:
        member, seed = _parts(name)
        seeds.setdefault(member, []).append(seed)
    of_one_seed = all(numbers == [str(maps[0].seed)] for numbers in seeds.values())
    if of_one_seed:
        members = f"{' and '.join(seeds)}, of the same seed"
    else:
        members = " and ".join(map(_with_seeds, seeds, seeds.values()))
    heights = "" if maps[0].ensemble_heights == "mean" else f"the {maps[0].ensemble_heights} "
    text = f"{method}: an ensemble, with the mean of the class scores and {heights}of the heights of {members}."
    return text if of_one_seed or len(maps) > 1 else f"{text} One map: it has no deviation over seeds."


def _parts(name: str) -> tuple[str, str]:
    """Return method and seed of a run's name, ``dataset/method/seed0``; imported runs have no seed."""
    _, method, *seed = name.split("/")
    return method, "".join(seed).removeprefix("seed")


def _with_seeds(member: str, seeds: Sequence[str]) -> str:
    numbered = [seed for seed in seeds if seed]
    if not numbered:
        return f"{member} (imported)"
    return f"{member} (seed{'s' if len(numbered) > 1 else ''} {', '.join(numbered)})"

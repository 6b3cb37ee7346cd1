"""Fill the marked blocks of a page with the tables of the finished rows in docs/data.

A block is what stands between ``<!-- STUDY: PANEL -->`` and ``<!-- end -->``: the table PANEL of the rows in
``docs/data/STUDY``, ordered and compared as ``config/STUDY.yaml`` says. A note stands below the first
table of a study that has it.

    python benchmarks/results.py [--check] [PAGE]
"""

import argparse
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import chdir
from dataclasses import replace
from functools import cache
from pathlib import Path

from mtlaerial.config import merge
from mtlaerial.config.recipe_overlay import merge_files
from mtlaerial.errors import ConfigError, DataError, UserError
from mtlaerial.pipeline.decisive_params import Decisive
from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.run_keys import run_keys
from mtlaerial.reporting.folds import Evaluation, pool_folds
from mtlaerial.reporting.tables import Panel, build_documents
from mtlaerial.reporting.tables.panels import Note
from mtlaerial.reporting.tables.render import markdown_panel
from mtlaerial.scoring.finished_row import FinishedRow, load_row
from mtlaerial.scoring.scores import Scores
from mtlaerial.system.files import write_text

ROOT = Path(__file__).parents[1]
OVERLAYS = {"context": ("autzen",), "comparison_weight": ("comparison",)}
"""Overlays of ``config`` that a study takes before its own, as its header says."""
BLOCK = re.compile(r"(<!-- (?P<study>\w+): (?P<panel>\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
AS_ABOVE = Note("Other notes: as below the tables of this study above.")


def main() -> int:
    """Fill the blocks, or with ``--check`` end with 1 and say which ones differ from their files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path, nargs="?", default=ROOT / "docs/results.md")
    parser.add_argument("--check", action="store_true", help="write nothing, and fail where a block differs")
    options = parser.parse_args()
    text = options.page.read_text(encoding="utf-8")
    try:
        differing = differing_blocks(text)
        if not options.check:
            write_text(options.page, filled(text))
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    for name in differing:
        print(f"{options.page}, {name}: {'differs from its rows; give make results' if options.check else 'filled'}")
    return int(bool(differing) and options.check)


def filled(text: str) -> str:
    """Return a page with all blocks filled."""
    blocks = iter(_filled_blocks(text))
    return BLOCK.sub(lambda _: next(blocks), text)


def differing_blocks(text: str) -> list[str]:
    """Return the blocks that are not as their files say, as ``STUDY: PANEL``."""
    pairs = zip(BLOCK.finditer(text), _filled_blocks(text), strict=True)
    return [f"{match['study']}: {match['panel']}" for match, block in pairs if match[0] != block]


def _filled_blocks(text: str) -> list[str]:
    """Return all blocks of a page, filled."""
    printed: defaultdict[str, set[Note]] = defaultdict(set)
    return [_filled_block(match, printed[match["study"]]) for match in BLOCK.finditer(text)]


def _filled_block(match: re.Match[str], printed: set[Note]) -> str:
    """Return a filled block, without the notes that the page has printed before; its own are added to them."""
    panels = _panels(match["study"])
    if match["panel"] not in panels:
        found, expected = f"the block {match['study']}: {match['panel']}", f"one of {', '.join(panels)}"
        raise ConfigError("results", found, expected, "Correct the page.")
    panel = panels[match["panel"]]
    new = tuple(note for note in panel.notes if note not in printed)
    rest = (AS_ABOVE,) if len(new) < len(panel.notes) else ()
    printed.update(new)
    return f"{match[1]}\n{markdown_panel(replace(panel, notes=(*new, *rest)))}\n\n{match[4]}"


@cache
def _panels(study: str) -> dict[str, Panel]:
    """Return the tables of a study by their keys, as the workflow makes them."""
    rows = {path: load_row(path) for path in sorted((ROOT / "docs/data" / study).glob("*/*.json"))}
    project = _project(study, [row.scores for row in rows.values()])
    with chdir(ROOT):
        for path, row in rows.items():
            _require_configured(path, row, project)
    params = Decisive(project).tables()
    evaluations: dict[str, Evaluation] = {}
    for name, dataset in params.items():
        evaluations[name] = Evaluation(folds=dataset["folds"], protocol=dataset["protocol"])
    scores = pool_folds(_in_order(rows.values(), project), evaluations)
    notes = {name: dataset["notes"] for name, dataset in params.items()}
    run = project.config.run
    documents = build_documents(
        scores,
        notes=notes,
        ablations=dict.fromkeys(params, run.steps),
        margins=dict.fromkeys(params, run.comparison.margin),
        curves=run.label_efficiency,
    )
    return {panel.key: panel for document in documents for panel in document.panels}


def _project(study: str, rows: Sequence[Scores]) -> Project:
    """Return the project of a study, on the data sets that it has rows of."""
    names = ("config", *OVERLAYS.get(study, ()), study)
    merged = merge_files([ROOT / f"config/{name}.yaml" for name in names])
    scored = dict.fromkeys(f"{row.dataset}." for row in rows)  # a data set, or a fold of one: NAME.AREA
    datasets = [name for name in merged["datasets"] if any(row.startswith(f"{name}.") for row in scored)]
    with chdir(ROOT):  # specifications are named relative to it
        return Project.of(merge(merged, {"run": {"datasets": datasets}}))


def _require_configured(path: Path, row: FinishedRow, project: Project) -> None:
    """Refuse a row of a run that the study does not have, or had with other keys."""
    dataset, method, seed = row.scores.dataset, row.scores.method, row.scores.seed
    if (dataset, method) not in project.runs() or seed not in project.config.seeds(method):
        found, expected = (
            f"a row of {method}, seed {seed}, on {dataset}",
            "a run that the study's configuration selects",
        )
        raise DataError(path, found, expected, "Delete the row, or select its run.")
    if difference := run_keys(project, dataset, method, seed).difference(row.keys):
        found, expected = f"a row of other keys ({difference})", "one of the study's configuration as it is"
        raise DataError(path, found, expected, "Delete the row, and make it anew by the target rows.")


def _in_order(rows: Iterable[FinishedRow], project: Project) -> list[Scores]:
    """Return the scores of the rows, in the order of the runs."""
    runs = project.runs()
    return sorted(
        (row.scores for row in rows), key=lambda scores: (runs.index((scores.dataset, scores.method)), scores.seed)
    )


if __name__ == "__main__":
    sys.exit(main())

"""The note on what a main table can show: generated data, and whether joint learning pays."""

import re
from collections.abc import Sequence

import pytest

from mtlaerial.reporting.tables import Panel, build_documents
from mtlaerial.reporting.tables.main_note import GENERATED, OPEN
from mtlaerial.scoring.scores import Scores
from support.sample_scores import experiment, run, tile

TRUE = [0.0, 4.0, 8.0]


def scored(method: str, hits: Sequence[int], errors: Sequence[float], **changes: object) -> list[Scores]:
    """Make runs of two seeds and two tiles: right pixels of 20, and errors of heights, of seed and tile in turn."""
    runs = []
    for seed in (0, 1):
        parts = []
        for number in (2 * seed, 2 * seed + 1):
            confusion = [[hits[number], 20 - hits[number], 0], [2, 18, 0]] if hits else ()
            predicted = [height + errors[number] for height in TRUE] if errors else ()
            parts.append(tile(confusion, TRUE if errors else (), predicted))
        runs.append(run(method, seed, parts, **changes))
    return runs


def panels(joint_hits: Sequence[int], **changes: object) -> dict[str, Panel]:
    runs = [
        *scored("labels", [15, 16, 14, 15], [], **changes),
        *scored("heights", [], [1.0, 1.1, 0.9, 1.0], **changes),
        *scored("both", joint_hits, [1.0, 1.1, 0.9, 1.0], **changes),
    ]
    return {panel.key: panel for document in build_documents(runs) for panel in document.panels}


def notes(panel: Panel) -> str:
    return " ".join(note.text for note in panel.notes)


def test_an_open_question_is_called_so_with_the_effect_that_the_design_detects() -> None:
    tables = panels([16, 14, 16, 13], generated=True)
    text = notes(tables["town-main"])
    assert f"{GENERATED} {OPEN}: with 2 seeds and 2 test tiles a Δm has to be " in text
    effect = re.search(r"has to be (\S+ %) to be told from chance \(power 80 %\)", text)
    assert f"the minimal detectable effect of this design is {effect[1]}" in notes(tables["town-weightings-single"])
    assert OPEN not in notes(tables["town-f1"])


@pytest.mark.parametrize("generated", [True, False])
def test_a_verdict_is_referred_to(generated: bool) -> None:
    text = notes(panels([19, 20, 18, 19], generated=generated)["town-main"])
    assert OPEN not in text
    assert "verdicts are in the table of weightings" in text
    assert (GENERATED in text) == generated


def test_one_tile_gives_no_verdict() -> None:
    tables = {panel.key: panel for document in build_documents(experiment()) for panel in document.panels}
    assert f"{OPEN}: verdicts take methods of each task alone, two seeds and two test tiles" in notes(
        tables["town-main"]
    )

"""Scores of sets of classes, each scored as one class."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import jaccard_score

from mtlaerial.config import ScoringSpec
from mtlaerial.errors import ConfigError
from mtlaerial.reporting.tables import build_documents, collect
from mtlaerial.scoring.metrics import confusion_matrix
from mtlaerial.scoring.scores import Scores
from support.sample_scores import run, tile

NAMES = ("road", "house", "grass", "tree", "car")
SETS = {"built": ("road", "house"), "green": ("grass", "tree")}
SET_OF = np.array([0, 0, 1, 1, 2])


def pixels(seed: int, quality: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """Return true and predicted classes."""
    random = np.random.default_rng(seed)
    true, wrong = (random.integers(0, 5, 600).astype(np.uint8) for _ in range(2))
    return true, np.where(random.random(600) < quality, true, wrong)


def scored(method: str, seed: int, quality: float = 0.6, **changes: object) -> Scores:
    matrices = [confusion_matrix(*pixels(10 * seed + number, quality), 5).tolist() for number in range(3)]
    options = {"classes": NAMES, "training_pixels": (1,) * 5, "class_sets": SETS, "tasks": ("semantics",), **changes}
    return run(method, seed, [tile(matrix) for matrix in matrices], **options)


def value(table: pd.DataFrame, score: str, group: str = "overall") -> float:
    rows = table[(table["method"] == "net") & (table["score"] == score) & (table["group"] == group)]
    return float(rows[rows["pooling"] == "pooled"]["value"].iloc[0])


def test_a_set_is_scored_as_one_class_and_pixels_of_no_set_are_ignored() -> None:
    table = collect([scored("net", 0)])
    parts = [pixels(number) for number in range(3)]
    true, predicted = (SET_OF[np.concatenate(arrays)] for arrays in zip(*parts, strict=True))
    known = true < 2
    expected = jaccard_score(true[known], predicted[known], labels=[0, 1], average=None)
    assert value(table, "mIoU of sets") == pytest.approx(expected.mean())
    assert value(table, "IoU", "set built") == pytest.approx(expected[0])
    assert value(table, "IoU", "set green") == pytest.approx(expected[1])


def test_the_main_table_has_the_sets_and_says_what_they_are() -> None:
    runs = [scored(method, seed, quality) for method, quality in (("net", 0.9), ("weak", 0.5)) for seed in range(5)]
    panel = build_documents(runs)[0].panels[0]
    assert panel.header.index("mIoU, class sets (%)") < panel.header.index("IoU built (%)")
    notes = " ".join(note.text for note in panel.notes)
    sentence = "Class sets, each scored as one class: built = road + house; green = grass + tree. Pixels of car in the"
    assert sentence in notes
    row = next(row for row in panel.rows if row[0].text == "net")
    assert row[panel.header.index("mIoU, class sets (%)")].bold  # by the sets' own sums


def test_runs_that_were_scored_without_sets_have_those_of_the_others() -> None:
    with_sets, without = scored("net", 0), scored("weak", 0, class_sets={})
    panel = build_documents([without, with_sets])[0].panels[0]
    column = panel.header.index("mIoU, class sets (%)")
    assert [row[column].text for row in panel.rows[:2]] != ["–", "–"]
    assert "–" not in [row[column].text for row in panel.rows[:2]]


def test_note_names_the_rows_that_were_scored_by_other_sets() -> None:
    other = {"tall": ("house", "tree"), "low": ("road", "grass")}
    runs = [scored("net", 0), scored("weak", 0, class_sets=other), scored("plain", 0, class_sets={})]
    notes = " ".join(note.text for note in build_documents(runs)[0].panels[0].notes)
    assert "In place of other sets, by which they were scored: weak." in notes
    notes = " ".join(note.text for note in build_documents(runs[::2])[0].panels[0].notes)
    assert "In place of other sets" not in notes


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ({"built": ["road"]}, "found the set built alone; expected at least two sets, or none"),
        ({"built": ["road"], "grey": ["road"]}, "found road twice, in built and grey; expected each class in one set"),
    ],
)
def test_sets_that_say_nothing_are_refused(sets: dict[str, list[str]], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ScoringSpec.parse({"class_sets": sets}, "scoring")

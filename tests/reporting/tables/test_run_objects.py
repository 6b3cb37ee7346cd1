"""Tables of the objects of maps: a row of each seed, means over seeds, and what is scored otherwise."""

import math

from mtlaerial.config.objects import ObjectsSpec
from mtlaerial.reporting.folds import Evaluation, pool_folds
from mtlaerial.reporting.tables import build_documents
from mtlaerial.reporting.tables.render import markdown_panel
from mtlaerial.scoring.object_sums import ObjectSums, RunObjects, added
from mtlaerial.scoring.scores import Scores
from support import sample_scores

SPEC = ObjectsSpec(min_area=5.0)
FOLDS = {"town": Evaluation(folds=("town.0", "town.1"), protocol="by area")}


def sums(matched: int, heights: int = 0, predicted: int = 10) -> ObjectSums:
    """Return sums of 10 predicted and 8 true objects, of whose matches some are 1 m too low."""
    return ObjectSums(
        predicted=predicted,
        true=8,
        matched_predicted=matched,
        matched_true=matched,
        iou_sum=0.75 * matched,
        rotation_sum=2.0 * matched,
        heights=heights,
        error_sum=-1.0 * heights,
        absolute_error_sum=1.0 * heights,
    )


def scored(run: Scores, matched: int, heights: int = 0, spec: ObjectsSpec = SPEC, predicted: int = 10) -> Scores:
    groups = {"all": sums(matched, heights, predicted), "50-100 m²": sums(matched, heights)}
    return run.model_copy(update={"objects": RunObjects(spec=spec, classes={"building": groups})})


def of_fold(number: int, run: Scores) -> Scores:
    """Return a run as that of a fold, of the same method and seed as the other fold's."""
    tiles = {f"{number}{name}": tile for name, tile in run.tiles.items()}
    return run.model_copy(update={"dataset": f"town.{number}", "seed": 0, "tiles": tiles})


def panels(runs: list[Scores]) -> dict[str, str]:
    documents = build_documents(runs)
    return {panel.key: " ".join(markdown_panel(panel).split()) for each in documents for panel in each.panels}


def test_each_seed_has_a_row_beside_the_mean_and_published_numbers() -> None:
    runs = sample_scores.experiment()
    joint = [scored(run, matched, 4) for run, matched in zip(runs[-2:], (4, 6), strict=True)]
    texts = panels([*runs[:-2], *joint])
    detection = texts["town-objects-building-detection"]
    assert "| joint | 10 | 8 | 50.0 ± 14.1 | 62.5 ± 17.7 | 55.6 ± 15.7 | 75.0 ± 0.0 | 2.0 ± 0.0 |" in detection
    assert "| joint, seed 1 | 10 | 8 | 40.0 | 50.0 | 44.4 | 75.0 | 2.0 |" in detection
    assert "| joint, seed 2 | 10 | 8 | 60.0 | 75.0 | 66.7 | 75.0 | 2.0 |" in detection
    assert "GlobalMLBuildingFootprints, seven regions | | | 92.2-97.2 |" in detection
    assert "of at least 5 m² in the test tiles' maps, as one region, with outlines along pixels" in detection
    assert "Not scored on such objects, or not all seeds: only-classes, only-height." in detection
    heights = texts["town-objects-building-heights"]
    assert "| joint, seed 1 | 4 | −1.00 | 1.00 |" in heights
    assert "in the interval" not in heights, "no run has intervals"
    assert "| joint, 50-100 m² | 10 | 8 | 50.0 ± 14.1 | 62.5 ± 17.7 |" in texts["town-objects-building-groups"]


def test_objects_of_another_specification_are_named_and_not_mixed() -> None:
    runs = sample_scores.experiment()
    joint = [scored(runs[-2], 4), scored(runs[-1], 6, spec=ObjectsSpec(min_area=20.0))]
    text = panels([*runs[:-2], *joint])["town-objects-building-detection"]
    assert "| joint | 10 | 8 | 40.0 | 50.0 |" in text
    assert "Not scored on such objects, or not all seeds: only-classes, only-height, joint." in text
    assert not [key for key in panels(runs) if "objects-building" in key]


def test_objects_of_folds_add_up_where_all_have_them() -> None:
    runs = sample_scores.experiment()[-2:]
    parts = [scored(run, matched, 2) for run, matched in zip(runs, (2, 6), strict=True)]
    (pooled,) = pool_folds([of_fold(number, part) for number, part in enumerate(parts)], FOLDS)
    assert pooled.objects
    total = pooled.objects.classes["building"]["all"]
    assert (total.predicted, total.true, total.matched_true, total.heights) == (20, 16, 8, 4)
    assert (total.precision, total.recall, total.iou, total.bias) == (0.4, 0.5, 0.75, -1)
    assert pool_folds([of_fold(0, parts[0]), of_fold(1, runs[1])], FOLDS)[0].objects is None


def test_sums_of_a_class_that_a_fold_lacks_are_those_of_the_others() -> None:
    one = RunObjects(spec=SPEC, classes={"building": {"all": sums(4)}})
    two = RunObjects(spec=SPEC, classes={"tree": {"all": sums(2)}})
    assert added([one, two]).classes == {**one.classes, **two.classes}


def test_a_sentence_names_the_best_method_without_a_test() -> None:
    runs = sample_scores.experiment()
    joint = [scored(run, matched, 4) for run, matched in zip(runs[-2:], (4, 6), strict=True)]
    worse = [scored(run, 2, 2) for run in runs[:2]]
    readings = {panel.key: panel.reading for each in build_documents([*worse, *joint]) for panel in each.panels}
    heights = "Best MAE over all objects: only-classes (1.00 m, not tested)."
    assert readings["town-objects-building-detection"] == "Best F1 over all objects: joint (55.6 %, not tested)."
    assert readings["town-objects-building-heights"] == readings["town-objects-building-groups"] == heights


def test_method_with_seeds_that_find_nothing_is_not_best() -> None:
    runs = sample_scores.experiment()
    methods = [scored(runs[-2], 5, 4), scored(runs[-1], 0, predicted=0), scored(runs[0], 4, 2)]
    documents = build_documents(methods)
    readings = {panel.key: panel.reading for each in documents for panel in each.panels}
    assert "Best F1 over all objects: only-classes (44.4 %, not tested)." in readings["town-objects-building-detection"]
    assert "only-classes" in readings["town-objects-building-heights"]
    detection = panels(methods)["town-objects-building-detection"]
    assert "| joint (2 seeds) | 5.0 ± 7.1 | 8 | 50.0 (n = 1) | 31.2 ± 44.2 | 27.8 ± 39.3 |" in detection


def test_f1_is_0_without_matches_and_open_without_objects() -> None:
    assert ObjectSums(true=5).f1 == ObjectSums(predicted=5).f1 == ObjectSums(predicted=5, true=5).f1 == 0
    assert math.isnan(ObjectSums().f1)


def test_note_says_that_only_predicted_outlines_are_regularised() -> None:
    spec = ObjectsSpec(regularise=True)
    text = panels([scored(run, 4, spec=spec) for run in sample_scores.experiment()[-2:]])[
        "town-objects-building-detection"
    ]
    assert "with regularised outlines; true ones from the labels, along pixels." in text

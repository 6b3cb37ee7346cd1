"""Scoring of a run's maps against the ground truth of the test tiles."""

from collections.abc import Sequence
from pathlib import Path

from mtlaerial.calibration.record import Calibration
from mtlaerial.calibration.text import calibration_sentences
from mtlaerial.config import ScoringSpec
from mtlaerial.config.class_names import left_out_classes
from mtlaerial.config.consistency import ConsistencyRules
from mtlaerial.config.tasks import leading_task
from mtlaerial.errors import DataError
from mtlaerial.runs.calibration_file import REMEDY, unfit_text
from mtlaerial.runs.code_hash import code_hash
from mtlaerial.runs.cosines import cosines
from mtlaerial.runs.final_weights import HISTORY, final_weights
from mtlaerial.runs.run import RunDescription, load_description
from mtlaerial.runs.seen_ground import run_ground_notes
from mtlaerial.scoring.consistency import Rules, require_ruled_classes
from mtlaerial.scoring.joint import BOTH
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.tile_scores import score_tile
from mtlaerial.tiles.record import verify_tiles

NO_RULES: ConsistencyRules = {}


def score_run(
    run: Path,
    tiles: Sequence[Path],
    scoring: ScoringSpec,
    protocol: str = "",
    rules: Rules = NO_RULES,
    calibration: Calibration | None = None,
) -> Scores:
    """Score the maps of a run on its test tiles.

    Parameters
    ----------
    run : Path
        The run's folder, with ``run.yaml`` and in ``maps/{tile}`` the tasks' maps, ``seams.json``,
        ``checkerboard.json``; of a training also ``history.csv``, for the weights at its end.
    tiles : sequence of Path
        Folders of the prepared test tiles.
    scoring : ScoringSpec
    protocol : str, optional
        How the test tiles were set apart from the training tiles, as a phrase.
    rules : mapping of class to ConsistencyRule, optional
        Heights that fit a class: ``consistency`` of the data set.
    calibration : Calibration, optional
        That of the run, for intervals of heights and calibrated probabilities.

    Raises
    ------
    ConfigError
        When a rule names no class of the run.
    DataError
        When the calibration is one of other weights or other settings.
        When a layer of the ground truth is damaged, a map is missing, or its grid differs from its ground truth's, or
        that of eroded labels from the labels'.
    """
    description = load_description(run)
    scores = score_maps(description, run / "maps", tiles, scoring, protocol, run / HISTORY, rules, calibration)
    return scores.model_copy(update={"ground": run_ground_notes(description, tiles, "test", elsewhere=False)})


def score_maps(
    description: RunDescription,
    maps: Path,
    tiles: Sequence[Path],
    scoring: ScoringSpec,
    protocol: str = "",
    history: Path | None = None,
    rules: Rules = NO_RULES,
    calibration: Calibration | None = None,
) -> Scores:
    """Score the maps of a described run in any folder; see :func:`score_run`."""
    if calibration and (difference := unfit_text(calibration, description, description.plan.prediction)):
        expected = f"one of {description.name}, as it is scored"
        raise DataError("calibration", f"one {difference}", expected, REMEDY)
    verify_tiles(tiles, ["height", "labels", "eroded"])
    plan, statistics = description.plan, description.statistics
    single = not description.members
    training = None if description.imported else plan.training
    trained = history if training and single else None
    names = tuple([entry.name for entry in statistics.classes])
    pixels = tuple([entry.pixels for entry in statistics.classes])
    ruled = all(leading_task(metrics) in plan.tasks for metrics in BOTH)
    rules = dict(rules) if ruled else {}
    require_ruled_classes(rules, names)
    tile_scores = {
        tile.name: score_tile(maps / tile.name, tile, description, scoring, rules, calibration) for tile in tiles
    }
    return Scores(
        dataset=plan.dataset,
        title=statistics.title,
        generated=statistics.generated,
        method=plan.method,
        seed=plan.seed,
        tasks=plan.tasks,
        weighting=_weighting(description),
        ensemble=tuple([member.name for member in description.members.values()]),
        ensemble_heights=description.heights,
        classes=names,
        training_pixels=pixels,
        height_unit=scoring.error_unit,
        mtlaerial=description.mtlaerial,
        code=description.code,
        scoring_code=code_hash("scoring"),
        network=plan.model if single else None,
        training=training if single else None,
        ended_early=description.ended_early,
        final_weights=final_weights(trained, plan.tasks) if trained else {},
        cosines=cosines(trained, plan.tasks) if trained else (),
        prediction=plan.prediction,
        protocol=protocol,
        recipe=description.recipe_text,
        without_classes=_left_out(description, scoring),
        class_sets=scoring.class_sets if names else {},
        consistency=rules,
        calibration=calibration_sentences(calibration) if calibration else (),
        tiles=tile_scores,
    )


def _weighting(description: RunDescription) -> str:
    if description.members:
        return "ensemble"
    return "unknown" if description.imported else description.plan.weighting.name


def _left_out(description: RunDescription, scoring: ScoringSpec) -> tuple[str, ...]:
    """Return the classes that a second set of scores leaves out; of an ensemble those that no member was trained on."""
    first, *others = [
        left_out_classes(scoring, None if network.imported else network.plan.training)
        for network in description.networks
    ]
    return tuple([name for name in first if all(name in names for names in others)])

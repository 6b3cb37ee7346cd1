"""The stages of the workflow, and the groups of stages that keys of the configuration decide together.

A stage is named after its rule. A change of a key repeats the jobs of its stages, and then those that read their files.
Which stages a key decides is listed in :mod:`mtlaerial.config.configuration_stages` and
:mod:`mtlaerial.config.specification_stages`.
"""

from typing import Literal

Stage = Literal[
    "synthesise",
    "unpack_archive",
    "fetch_pretrained",
    "check_tile",
    "check_splits",
    "locate_held_out",
    "prepare_tile",
    "summarise_tiles",
    "measure_rate",
    "train",
    "describe_run",
    "describe_ensemble",
    "predict",
    "calibrate",
    "vectorise",
    "score",
    "tables",
    "label_efficiency",
    "tradeoff",
    "layout_figure",
    "figures",
    "report",
    # Of transfers: their params hold what decides predict, score and tables.
    "predict_transfer",
    "score_transfer",
    "transfer_tables",
]
"""The rules whose results depend on the configuration."""
Stages = tuple[Stage, ...]

NOTHING: Stages = ()
"""For keys that only choose jobs, files and folders, or that no result depends on."""
TILE: Stages = ("check_tile", "prepare_tile")
BETWEEN_TILES: Stages = ("check_splits", "locate_held_out")
PLACE: Stages = (*TILE, "locate_held_out")
"""For keys that decide where a tile lies."""
TRAINING: Stages = ("train", "describe_run")
COSTLY: Stages = ("measure_rate", *TRAINING)
"""For keys that change the time of an update too, by which a budget becomes a number of updates."""
MEASURED: Stages = ("summarise_tiles", *TRAINING)
"""For keys that are used with the prepared training tiles, or whose tiles are prepared anew."""
ENSEMBLE: Stages = ("describe_ensemble", "predict", "calibrate")
MAPS: Stages = ("describe_run", "describe_ensemble", "predict")
"""A run states the prediction that it is scored with, so that other images are mapped alike."""
PREDICTION: Stages = (*MAPS, "calibrate")
"""For keys that change the values of heights, deviations or probabilities."""
OBJECTS: Stages = ("calibrate", "vectorise", "score")
"""For keys that decide which objects there are, in the maps and in the truth."""
REPORTING: Stages = ("tables", "label_efficiency", "report")
GENERATED: Stages = ("synthesise", "describe_run", "layout_figure", "report")
"""For keys that are part of a generated data set's title."""

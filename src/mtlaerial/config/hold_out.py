"""Tiles held out of a training: an area for testing (a *fold*), or training tiles for validation."""

from collections.abc import Sequence

from mtlaerial.config.dataset import DatasetSpec
from mtlaerial.config.layers import LabelsSpec
from mtlaerial.errors import ConfigError


def fold_of(spec: DatasetSpec, area: str) -> DatasetSpec:
    """Return the data set with fixed splits: an area for testing, all others for training.

    Raises
    ------
    ConfigError
        When there is no such area.
    """
    if area not in spec.areas:
        areas = ", ".join(spec.areas) or "none, as the splits are fixed"
        raise ConfigError("areas", f"no area {area}", f"one of {areas}", "Correct the name.")
    others = tuple(tile for name, tiles in spec.areas.items() if name != area for tile in tiles)
    return spec.model_copy(update={"splits": {"train": others, "test": spec.areas[area]}, "areas": {}})


def with_validation_tiles(spec: DatasetSpec, tiles: Sequence[str], key: str) -> DatasetSpec:
    """Return the data set with some training tiles as validation tiles; their label files stay the same.

    Parameters
    ----------
    spec : DatasetSpec
    tiles : sequence of str
    key : str
        The key that lists them, for messages.

    Raises
    ------
    ConfigError
        When one is not a training tile, when none is left, or when validation tiles have other label files.
    """
    train = spec.splits["train"]
    left = tuple(tile for tile in train if tile not in tiles)
    for tile in tiles:
        if tile not in train:
            expected = f"training tiles ({', '.join(train)})"
            raise ConfigError(key, f"the tile {tile}", expected, "Correct its name, or leave it out.")
    if not left:
        raise ConfigError(key, "all training tiles", "at least one left to train on", "Hold out fewer tiles.")
    held = tuple(dict.fromkeys(tiles))
    splits = {**spec.splits, "train": left, "val": spec.splits.get("val", ()) + held}
    return spec.model_copy(update={"splits": splits, "labels": _labels_held_out(spec, key)}) if held else spec


def _labels_held_out(spec: DatasetSpec, key: str) -> LabelsSpec | None:
    """Return the labels; files that are listed by split get those of training tiles for validation too."""
    if spec.labels is None or not isinstance(spec.labels.files, dict):
        return spec.labels
    files = {"val": spec.labels.files["train"], **spec.labels.files}
    if files["val"] != files["train"]:
        expected = "the same labels.files for train and val"
        raise ConfigError(key, f"labels.files of their own for val ({files['val'][0]})", expected, "Edit splits.")
    return spec.labels.model_copy(update={"files": files})

"""Legend: the class of a data set for each kind of cover in the city."""

import re

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import LabelsSpec
from mtlaerial.synthetic.city.surface import Kind

_PAVED = ("road", "street", "impervious", "paved", "asphalt", "pavement", "sealed")
_LOW = ("grass", "low veg", "lawn", "herb", "vegetation", "green", "meadow")
_BARE = ("bare", "soil", "earth", "sand")
_BUILT = ("building", "roof", "house", "built")
_WOODY = ("tree", "high veg", "forest", "wood")
_REST = ("ground", "clutter", "other", "background", "unclassified")

WORDS: dict[Kind, tuple[str, ...]] = {
    Kind.GRASS: ("healthy grass", *_LOW),
    Kind.PARK: ("healthy grass", *_LOW),
    Kind.DRY_GRASS: ("stressed grass", "dry grass", *_LOW, *_BARE),
    Kind.TURF: ("artificial turf", "turf", *_LOW),
    Kind.SOIL: (*_BARE, *_LOW, "unpaved"),
    Kind.DECIDUOUS: ("deciduous", *_WOODY, "vegetation", "green"),
    Kind.EVERGREEN: ("evergreen", "conifer", *_WOODY, "vegetation", "green"),
    Kind.WATER: ("water", "river", "lake", "clutter", *_LOW),
    Kind.HOUSE: ("residential", *_BUILT),
    Kind.HALL: ("non-residential", "commercial", "industrial", *_BUILT),
    Kind.ROAD: _PAVED,
    Kind.MAIN_ROAD: ("major", "main road", "highway", *_PAVED),
    Kind.CROSSWALK: ("crosswalk", "crossing", *_PAVED),
    Kind.PAVEMENT: ("sidewalk", "pavement", "footway", *_PAVED),
    Kind.PARKING: ("paved parking", "parking", "car park", *_PAVED),
    Kind.YARD: ("pavement", "sidewalk", *_PAVED),
    Kind.CAR: ("cars", "car", "vehicle", *_PAVED),
}
"""Words that class names are searched for, best first."""


def raw_values(spec: LabelsSpec) -> NDArray[np.uint16]:
    """Return the raw value of each kind in a data set's label files.

    A kind that matches no class gets the first ignored value; if no value is ignored, it gets the last class, which by
    custom is "other" or "clutter".

    Parameters
    ----------
    spec : LabelsSpec
        Names and raw values of the classes; the first value of each class is used.

    Returns
    -------
    array of uint16, shape (kinds, 1) for codes or (kinds, 3) for colours
        To be indexed by ``Kind``.
    """
    fallback = spec.ignore[0] if spec.ignore else spec.classes[-1].values[0]
    values = [_value(spec, (*WORDS[kind], *_REST), fallback) for kind in Kind]
    return np.array(values, dtype=np.uint16).reshape(len(Kind), -1)


def class_values(spec: LabelsSpec) -> NDArray[np.uint16]:
    """Return the first raw value of each class, shape (classes, 1) for codes or (classes, 3) for colours."""
    return np.array([entry.values[0] for entry in spec.classes], np.uint16).reshape(len(spec.classes), -1)


def class_codes(spec: LabelsSpec) -> NDArray[np.int64]:
    """Return the class of each kind, as an index of the classes; -1 for kinds without a class."""
    matches = (raw_values(spec)[:, None] == class_values(spec)).all(axis=-1)
    return np.where(matches.any(axis=1), matches.argmax(axis=1), -1)


def _value(spec: LabelsSpec, words: tuple[str, ...], fallback: object) -> object:
    for word in words:
        for entry in spec.classes:
            # Only at the beginning of a word: "unpaved" is not "paved", "non-residential" not "residential".
            if re.search(rf"(?<![\w-]){word}", entry.name.lower()):
                return entry.values[0]
    return fallback

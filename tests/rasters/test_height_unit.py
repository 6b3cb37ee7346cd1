"""Names of units of heights."""

import pytest

from mtlaerial.rasters.height_unit import metres_in


@pytest.mark.parametrize(
    ("metres", "names"),
    [
        (1.0, ("m", "metre", "Meters", " metres ")),
        (0.1, ("dm", "decimetre", "decimeters")),
        (0.01, ("cm", "centimetres", "centimeter")),
        (0.3048, ("ft", "foot", "Feet", "International foot")),
        (1200 / 3937, ("us-ft", "US survey foot", "US_survey_feet", "foot_us")),
        (0.9144, ("yard",)),
        (None, ("ms", "dB", "degree", "unknown")),
    ],
)
def test_units_of_length_are_known_by_their_usual_names(metres: float | None, names: tuple[str, ...]) -> None:
    for name in names:
        assert metres_in(name) == (None if metres is None else pytest.approx(metres, rel=1e-12))

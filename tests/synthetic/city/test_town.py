"""The generated towns: heights, shadows and colours of all that stands in them."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from mtlaerial.synthetic.city import BUILDINGS, STYLES, TREES, Kind, Style, View, light, render, render_strips
from mtlaerial.synthetic.city.legend import raw_values
from mtlaerial.synthetic.city.river import River
from support.generated_layouts import LAYOUTS, SEED


@pytest.fixture(scope="module", params=STYLES)
def style(request: pytest.FixtureRequest) -> Style:
    return STYLES[request.param]


@pytest.fixture(scope="module")
def view(style: Style) -> View:
    side = 900 if style is STYLES["grid"] else 700
    return render(style, SEED, 0, 0, side, side, 0.5)


@pytest.mark.quick_cases(1, "renders two towns a case")
def test_views_agree_where_they_overlap(style: Style, view: View) -> None:
    part = render(style, SEED, 310, 205, 60, 90, 0.5)
    window = slice(310, 370), slice(205, 295)
    np.testing.assert_array_equal(part.kind, view.kind[window])
    np.testing.assert_allclose(part.height, view.height[window], atol=1e-4)
    np.testing.assert_allclose(part.ground, view.ground[window], atol=1e-4)
    assert np.mean(np.abs(part.colour - view.colour[window]) > 1e-3) < 1e-3


@pytest.mark.parametrize("step", [37, 64])
def test_strips_equal_the_town_rendered_at_once(step: int, style: Style) -> None:
    place = 100, 40, 64, 200
    whole, counts = render(style, SEED, *place, 0.3), np.zeros(64, np.int64)
    for first, strip in render_strips(style, SEED, *place, 0.3, step):
        rows = slice(first - 100, first - 100 + len(strip.kind))
        counts[rows] += 1
        for layer in ("colour", "kind", "height", "ground"):
            np.testing.assert_array_equal(getattr(strip, layer), getattr(whole, layer)[rows])
    assert (counts == 1).all()


def test_the_river_is_never_skipped_where_it_flows(style: Style, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = render(style, SEED, 60, 0, 100, 300, 1.0).kind
    assert 300 < (kinds == Kind.WATER).sum() < 10000
    monkeypatch.setattr(River, "is_far", lambda *_: False)
    np.testing.assert_array_equal(kinds, render(style, SEED, 60, 0, 100, 300, 1.0).kind)


def test_every_kind_stands_at_its_height(style: Style, view: View) -> None:
    standing = np.isin(view.kind, (*BUILDINGS, *TREES))
    assert np.mean(view.height[standing] > 2.0) > 0.99
    assert 10 < view.height.max() < style.highest
    car = view.kind == Kind.CAR
    assert 0.8 < view.height[car].min() <= view.height[car].max() < 2.0
    assert not view.height[~standing & ~car].any()


def test_a_town_has_all_that_the_demo_learns(view: View) -> None:
    spec = LAYOUTS["city"][0].labels
    assert spec is not None
    codes = raw_values(spec)[view.kind]
    share = np.bincount(codes.ravel(), minlength=7) / codes.size
    assert share[0] == 0
    assert (share[1:] > 0.005).all(), share


@pytest.mark.parametrize("name", STYLES)
def test_shadows_are_as_long_as_things_are_high(name: str) -> None:
    style, heights, lengths = STYLES[name], (4.0, 8.0, 16.0), []
    for height in heights:
        plain = np.zeros((120, 120), np.float32)
        plain[80:110, 50:80] = height
        rows = light.shadow(style, plain, 0.5)[:80].any(axis=1).sum()
        lengths.append(rows * style.sun.stride * 0.5)
    np.testing.assert_allclose(lengths, np.array(heights) / np.tan(style.sun.elevation), atol=1.0)


def test_pixels_whose_ray_to_the_sun_is_blocked_are_in_shadow(style: Style, view: View) -> None:
    elevation = (view.ground + view.height)[100:260, 300:460]
    sun, rows = style.sun, len(elevation)
    expected, interior = np.zeros(elevation.shape, dtype=bool), slice(70, 90)
    for step in range(1, min(style.reach(0.5), 70) + 1):
        # The nearest column to the exact ray; the mask's rays are up to a pixel off it.
        east = round(step * sun.east)
        ray = elevation[: rows - step, interior] + step * sun.stride * 0.5 * np.tan(sun.elevation)
        expected[: rows - step, interior] |= elevation[step:, 70 + east : 90 + east] > ray + 0.25
    dark = light.shadow(style, elevation, 0.5)
    assert expected[:, interior].mean() > 0.1
    wrong = np.mean(dark[:90, interior] != expected[:90, interior])
    assert wrong < (1e-3 if sun.east == 1 else 0.03)


def test_the_picture_carries_height(style: Style, view: View) -> None:
    brightness = view.colour[..., :3].mean(axis=-1)
    dark = light.shadow(style, view.ground + view.height, 0.5)[:-70, :-70]
    road = np.isin(view.kind, (Kind.ROAD, Kind.MAIN_ROAD, Kind.PAVEMENT))[:-70, :-70]
    assert brightness[:-70, :-70][road & dark].mean() < 0.6 * brightness[:-70, :-70][road & ~dark].mean()
    # Along every line that leaves a wall towards the shadow: how high the wall, how many dark pixels.
    built, steps = np.isin(view.kind, BUILDINGS), np.arange(1, 41)
    east = np.array([style.sun.columns(int(step)) for step in steps])
    rows, columns = np.nonzero(built[80:-80, 80:-80] & ~built[79:-81, 80 - east[0] : -80 - east[0]])
    heights, dark_pixels = [], []
    for row, column in zip(rows[::3] + 80, columns[::3] + 80, strict=True):
        path = row - steps, column - east
        # Soil and water are dark in the sun too.
        if not np.isin(view.kind[path], (*BUILDINGS, *TREES, Kind.SOIL, Kind.WATER)).any():
            heights.append(view.height[row, column])
            dark_pixels.append((brightness[path] < 0.27).sum())
    assert len(heights) > 50
    assert spearmanr(heights, dark_pixels).statistic > 0.5


def test_infrared_shows_vegetation(view: View) -> None:
    infrared, red = view.colour[..., 3], view.colour[..., 0]
    index = (infrared - red) / (infrared + red + 1e-6)
    green = np.isin(view.kind, (Kind.GRASS, Kind.PARK, *TREES))
    assert index[green].mean() > 0.2
    assert index[np.isin(view.kind, (Kind.ROAD, Kind.HOUSE))].mean() < 0.1

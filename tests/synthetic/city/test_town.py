"""The generated town: heights, shadows and colours of all that stands in it."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from mtlaerial.synthetic.city import BUILDINGS, TREES, Kind, View, light, render, render_strips, town
from mtlaerial.synthetic.city.legend import raw_values
from support.generated_layouts import LAYOUTS, SEED


@pytest.fixture(scope="module")
def view() -> View:
    return render(SEED, 0, 0, 900, 900, 0.5)


def test_views_agree_where_they_overlap(view: View) -> None:
    part = render(SEED, 310, 205, 60, 90, 0.5)
    window = slice(310, 370), slice(205, 295)
    np.testing.assert_array_equal(part.kind, view.kind[window])
    np.testing.assert_allclose(part.height, view.height[window], atol=1e-4)
    np.testing.assert_allclose(part.ground, view.ground[window], atol=1e-4)
    assert np.mean(np.abs(part.colour - view.colour[window]) > 1e-3) < 1e-3


@pytest.mark.parametrize("step", [37, 64])
def test_strips_equal_the_town_rendered_at_once(step: int) -> None:
    place = 100, 40, 64, 200
    whole, counts = render(SEED, *place, 0.3), np.zeros(64, np.int64)
    for first, strip in render_strips(SEED, *place, 0.3, step):
        rows = slice(first - 100, first - 100 + len(strip.kind))
        counts[rows] += 1
        for layer in ("colour", "kind", "height", "ground"):
            np.testing.assert_array_equal(getattr(strip, layer), getattr(whole, layer)[rows])
    assert (counts == 1).all()


def test_the_river_is_never_skipped_where_it_flows(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = render(SEED, 60, 0, 100, 300, 1.0).kind
    assert 300 < (kinds == Kind.WATER).sum() < 10000
    monkeypatch.setattr(town, "_far_from_river", lambda *_: False)
    np.testing.assert_array_equal(kinds, render(SEED, 60, 0, 100, 300, 1.0).kind)


def test_every_kind_stands_at_its_height(view: View) -> None:
    standing = np.isin(view.kind, (*BUILDINGS, *TREES))
    assert np.mean(view.height[standing] > 2.0) > 0.99
    assert 10 < view.height.max() < light.HIGHEST
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


def test_shadows_are_dark_and_as_long_as_things_are_high() -> None:
    lengths = []
    for height in (4.0, 8.0, 16.0):
        plain = np.zeros((120, 120), np.float32)
        plain[70:100, 70:100] = height
        lengths.append(light.shadow(plain, 0.5).diagonal()[:70].sum() * 0.5 * np.sqrt(2))
    np.testing.assert_allclose(lengths, np.array([4, 8, 16]) / np.tan(light.ELEVATION), atol=0.75)


def test_pixels_whose_ray_to_the_sun_is_blocked_are_in_shadow(view: View) -> None:
    elevation = (view.ground + view.height)[100:260, 300:460]
    expected = np.zeros(elevation.shape, dtype=bool)
    for step in range(1, light.reach(0.5) + 1):
        ray = elevation[:-step, :-step] + step * np.sqrt(2) * 0.5 * np.tan(light.ELEVATION)
        expected[:-step, :-step] |= elevation[step:, step:] > ray + 0.25
    assert expected.mean() > 0.1
    assert np.mean(light.shadow(elevation, 0.5) != expected) < 1e-3


def test_the_picture_carries_height(view: View) -> None:
    brightness = view.colour[..., :3].mean(axis=-1)
    dark = light.shadow(view.ground + view.height, 0.5)[:-70, :-70]
    road = np.isin(view.kind, (Kind.ROAD, Kind.MAIN_ROAD, Kind.PAVEMENT))[:-70, :-70]
    assert brightness[:-70, :-70][road & dark].mean() < 0.6 * brightness[:-70, :-70][road & ~dark].mean()
    # Along every diagonal that leaves a wall towards the shadow: how high the wall, how many dark pixels.
    built = np.isin(view.kind, BUILDINGS)
    rows, columns = np.nonzero(built[80:-80, 80:-80] & ~built[79:-81, 79:-81])
    heights, dark_pixels = [], []
    for row, column in zip(rows[::7] + 80, columns[::7] + 80, strict=True):
        steps = np.arange(1, 70)
        path = view.kind[row - steps, column - steps]
        free = np.isin(path, (*BUILDINGS, *TREES))
        if not free[:45].any():
            heights.append(view.height[row, column])
            dark_pixels.append((brightness[row - steps, column - steps][:45] < 0.27).sum())
    assert len(heights) > 50
    assert spearmanr(heights, dark_pixels).statistic > 0.5


def test_infrared_shows_vegetation(view: View) -> None:
    infrared, red = view.colour[..., 3], view.colour[..., 0]
    index = (infrared - red) / (infrared + red + 1e-6)
    green = np.isin(view.kind, (Kind.GRASS, Kind.PARK, *TREES))
    assert index[green].mean() > 0.2
    assert index[np.isin(view.kind, (Kind.ROAD, Kind.HOUSE))].mean() < 0.1

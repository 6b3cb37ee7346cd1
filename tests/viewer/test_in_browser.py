"""The viewer's page in a real browser, whose WebGL is drawn by software."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.warp import transform

from support.axe import fetch_axe, grave_faults
from support.browser import BROWSER, SOFTWARE_WEBGL, browser_page
from support.map_viewer import COLOURS, HEIGHT, SIDE, Served, served
from support.object_maps import CLASSES, grid
from support.shared import made_once

pytestmark = BROWSER
WIDE, NARROW = {"width": 800, "height": 520}, {"width": 390, "height": 844}
IN_HOUSE, IN_TREES = (24, 36), (56, 30)
"""Row and column of pixels."""
IDLE = "() => globalThis.viewer && viewer.map.loaded() && viewer.map.areTilesLoaded() && !viewer.map.isMoving()"


@pytest.fixture(scope="module")
def server(maps: Path) -> Iterator[Served]:
    with served(maps) as server:
        yield server


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "axe", fetch_axe) / "axe.min.js"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browser_page(SOFTWARE_WEBGL) as page:
        page.requested, page.errors = [], []
        page.on("request", lambda request: page.requested.append(request.url))
        page.on("console", lambda message: message.type == "error" and page.errors.append(message.text))
        yield page


@pytest.fixture
def page(browser: Any, server: Served) -> Iterator[Any]:
    """Show the page anew; after the test, nothing has failed, and nothing was asked of another machine."""
    for collected in (browser.requested, browser.errors, browser.failed):
        collected.clear()
    browser.set_viewport_size(WIDE)
    browser.goto(server.announced)
    browser.wait_for_function(IDLE)
    yield browser
    assert browser.errors == browser.failed == []
    assert {urlsplit(url).hostname for url in browser.requested if not url.startswith(("data:", "blob:"))} == {
        "127.0.0.1"
    }


def degrees(row: float, column: float) -> list[float]:
    """Return longitude and latitude of a pixel's centre."""
    x, y = grid(SIDE, SIDE).transform @ (column + 0.5, row + 0.5)
    longitudes, latitudes = transform("EPSG:32632", "EPSG:4326", [x], [y])
    return [longitudes[0], latitudes[0]]


def on_screen(page: Any, row: float, column: float) -> tuple[float, float]:
    """Return where a pixel's centre is in the window."""
    point = page.evaluate("place => viewer.map.project(place)", degrees(row, column))
    return point["x"], point["y"]


def picture(page: Any) -> np.ndarray:
    """Return what the window shows, once all is loaded."""
    page.wait_for_function(IDLE)
    page.evaluate("() => new Promise(done => { viewer.map.once('idle', done); viewer.map.triggerRepaint(); })")
    with Image.open(BytesIO(page.screenshot())) as screen:
        return np.asarray(screen.convert("RGB"))


def colour(page: Any, row: float, column: float) -> list[int]:
    x, y = on_screen(page, row, column)
    return picture(page)[int(y), int(x)].tolist()


def switch(page: Any, title: str) -> None:
    page.get_by_label(title, exact=True).click()


def slide(page: Any, title: str, value: int) -> None:
    page.get_by_label(f"Opacity of {title}").fill(str(value))


def click(page: Any, row: float, column: float) -> dict[str, str]:
    """Click on a pixel, and return the values that the panel shows, by name."""
    with page.expect_response(lambda response: "/values?" in response.url):
        page.mouse.click(*on_screen(page, row, column))
    page.wait_for_function("() => document.querySelector('#values table')")
    return shown(page)


def shown(page: Any) -> dict[str, str]:
    rows = page.locator("#values tr").all()
    return {row.locator("th").inner_text(): row.locator("td").inner_text().replace("\xa0", " ") for row in rows}


def test_layers_are_switched_and_faded(page: Any) -> None:
    switch(page, "buildings (1)")
    slide(page, "Classes", 100)
    assert colour(page, *IN_HOUSE) == pytest.approx(COLOURS[CLASSES.index("building")], abs=3)
    assert colour(page, *IN_TREES) == pytest.approx(COLOURS[CLASSES.index("tree")], abs=3)
    switch(page, "Classes")
    assert colour(page, *IN_HOUSE) == pytest.approx((10, 200, 90), abs=3)
    slide(page, "Image", 0)
    without = colour(page, *IN_HOUSE)
    switch(page, "Height above ground (m)")
    assert colour(page, *IN_HOUSE) != pytest.approx(without, abs=20)
    assert page.locator("li:visible", has_text="Height").locator(".ramp li").last.inner_text().endswith("m")


def test_the_legend_names_the_classes_with_their_colours(page: Any) -> None:
    assert page.locator(".classes:visible li").all_inner_texts() == list(CLASSES)
    swatches = page.locator(".classes .swatch").all()
    colours = [swatch.evaluate("each => getComputedStyle(each).backgroundColor") for swatch in swatches]
    assert colours == [f"rgb({red}, {green}, {blue})" for red, green, blue in COLOURS]


def test_a_class_of_the_probabilities_is_chosen(page: Any) -> None:
    switch(page, "Probabilities of classes")
    slide(page, "Probabilities of classes", 100)
    first = colour(page, *IN_TREES)
    page.get_by_label("of the class").select_option("tree")
    assert colour(page, *IN_TREES) != pytest.approx(first, abs=20)
    assert any("band=3" in url for url in page.requested)


def test_tiles_and_terrain_have_addresses_of_this_start_alone(page: Any, server: Served, maps: Path) -> None:
    """Else a browser may show tiles that it keeps from another start on the same port."""
    page.get_by_label("terrain of heights").check()
    page.wait_for_function(IDLE)
    starts = {parse_qs(urlsplit(url).query)["start"][0] for url in page.requested if ".png" in url}
    assert starts == {layer["start"] for layer in server.json("/catalog")["layers"]}
    assert any("/terrain/" in url for url in page.requested)


def test_values_at_ten_clicks_are_those_of_the_rasters(page: Any, maps: Path) -> None:
    with rasterio.open(maps / "height.tif") as heights, rasterio.open(maps / "semantics.tif") as classes:
        stored, codes = heights.read(1), classes.read(1)
    for row, column in np.random.default_rng(5).integers(6, SIDE - 6, (10, 2)).tolist():
        values = click(page, row, column)
        assert values["Height above ground"] == f"{stored[row, column] / 100:g} m"
        name = CLASSES[codes[row, column]]
        assert values["Classes"] == name
        assert values[name] == "0.8", "its probability"


def test_a_click_on_a_building_shows_its_attributes(page: Any) -> None:
    values = click(page, *IN_HOUSE)
    assert values["height_median"] == f"{HEIGHT / 100} m"
    assert values["area"] == "96 m²"
    assert "id" not in click(page, *IN_TREES)


def test_terrain_has_the_predicted_heights_and_is_drawn(page: Any) -> None:
    flat = picture(page)
    page.get_by_label("terrain of heights").check()
    page.wait_for_function(IDLE)
    tilted = picture(page)[:, : WIDE["width"] // 2].reshape(-1, 3)
    assert len(np.unique(tilted, axis=0)) > 20, "not blank"
    assert page.evaluate("() => viewer.map.getPitch()") == 60
    assert abs(tilted.astype(int) - flat[:, : WIDE["width"] // 2].reshape(-1, 3)).mean() > 5
    height = page.evaluate("place => viewer.map.queryTerrainElevation(place)", degrees(*IN_HOUSE))
    ground = page.evaluate("place => viewer.map.queryTerrainElevation(place)", degrees(1, 1))
    assert height - ground == pytest.approx(HEIGHT / 100, abs=2)


def test_objects_stand_as_solids(page: Any) -> None:
    page.get_by_label("objects in 3-D").check()
    page.wait_for_function(IDLE)
    picture(page)
    ids = "() => viewer.map.queryRenderedFeatures({layers: ['objects0-solid']}).map(each => each.properties.id)"
    assert set(page.evaluate(ids)) == {1}
    page.get_by_label("flat").check()
    page.wait_for_function(IDLE)
    assert page.evaluate("() => viewer.map.getLayoutProperty('objects0-solid', 'visibility')") == "none"


def test_the_keyboard_reaches_everything(page: Any) -> None:
    page.locator("#map canvas").focus()
    before = page.evaluate("() => viewer.map.getCenter().lng")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(IDLE)
    assert page.evaluate("() => viewer.map.getCenter().lng") > before
    with page.expect_response(lambda response: "/values?" in response.url):
        page.keyboard.press("Enter")
    page.wait_for_selector("#values table")
    names = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        names.add(page.evaluate("() => document.activeElement.type || document.activeElement.tagName"))
    assert {"checkbox", "range", "radio", "button"} <= names
    box = page.get_by_label("Classes", exact=True)
    box.focus()
    page.keyboard.press("Space")
    assert not box.is_checked()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_no_grave_fault_of_accessibility(page: Any, axe: Path, size: dict[str, int]) -> None:
    page.set_viewport_size(size)
    switch(page, "Height above ground (m)")
    switch(page, "Probabilities of classes")
    click(page, *IN_HOUSE)
    assert grave_faults(page, axe) == []


def test_a_narrow_window_needs_no_scrolling_to_the_side(page: Any) -> None:
    page.set_viewport_size(NARROW)
    click(page, *IN_HOUSE)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= NARROW["width"]
    assert page.locator("#map").bounding_box()["width"] == NARROW["width"]
    assert page.locator("#values table").first.is_visible()


def test_a_problem_is_said_on_the_page(browser: Any, server: Served) -> None:
    browser.route("**/catalog", lambda route: route.fulfill(status=500, body="semantics.tif: found nothing."))
    browser.goto(server.announced)
    browser.wait_for_selector("#problem:visible")
    assert browser.locator("#problem").inner_text() == "semantics.tif: found nothing."
    browser.unroute("**/catalog")

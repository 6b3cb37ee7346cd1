"""The report in a real browser, from disk and without a network."""

import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from support.axe import fetch_axe, grave_faults
from support.browser import BROWSER, browser_page
from support.report_place import LEFT_GREEN, RED, SIDE, ReportPlace, written_report
from support.shared import made_once

pytestmark = BROWSER
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
ROAD, HOUSE = (90, 90, 90), (200, 0, 0)
IN_HOUSE, ON_ROAD = (0.2, 0.6), (0.8, 0.6)
"""Places of a tile in fractions: where the maps have a house, and where they have none."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> ReportPlace:
    return ReportPlace(made_once(tmp_path_factory, "report", written_report))


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "axe", fetch_axe) / "axe.min.js"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browser_page() as page:
        page.context.set_offline(True)
        page.requested, page.errors = [], []
        page.on("request", lambda request: page.requested.append(request.url))
        page.on("console", lambda message: message.type in ("error", "warning") and page.errors.append(message.text))
        yield page


@pytest.fixture
def page(browser: Any, report: ReportPlace) -> Any:
    """Show the page anew, in a wide window."""
    for collected in (browser.requested, browser.errors, browser.failed):
        collected.clear()
    browser.emulate_media(media="screen")
    browser.set_viewport_size(WIDE)
    browser.goto(report.page.as_uri())
    wait_for_pictures(browser)
    return browser


def wait_for_pictures(page: Any) -> None:
    """Wait until the viewer shows whole pictures in place of previews."""
    page.wait_for_function(
        "() => [...document.querySelectorAll('.stage img')].every(i => i.complete && !i.src.startsWith('data:'))"
    )


def colours(page: Any, *places: tuple[float, float], stage: int = 0) -> list[tuple[int, ...]]:
    """Return the colours of a stage of the viewer at some places, in fractions of it."""
    with Image.open(BytesIO(page.locator(".stage").nth(stage).screenshot())) as picture:
        pixels = picture.convert("RGB")
        return [pixels.getpixel((int(x * picture.width), int(y * picture.height))) for x, y in places]


def near(found: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    return max(abs(a - b) for a, b in zip(found, expected, strict=True)) < 25


def shows(page: Any, at_house: tuple[int, ...], on_road: tuple[int, ...]) -> bool:
    house, road = colours(page, IN_HOUSE, ON_ROAD)
    return near(house, at_house) and near(road, on_road)


def column(page: Any, table: str, number: int) -> list[str]:
    return page.locator(f"#{table} tbody tr > :nth-child({number})").all_inner_texts()


def test_page_opens_from_disk_without_network_and_without_errors(page: Any) -> None:
    assert page.title() == "Semantics and height from aerial images: report"
    assert page.locator(".viewer").count() == 1  # of the tile that is open
    page.locator("#town-tile2 > summary").click()
    page.locator(".viewer").nth(1).wait_for()  # the browser tells of an opened part a little later
    wait_for_pictures(page)
    assert page.locator(".viewer").count() == 2
    assert page.evaluate("document.querySelector('.stage img').naturalWidth") == SIDE
    assert all(url.startswith(("file:", "data:")) for url in page.requested)
    assert (page.errors, page.failed) == ([], [])


def test_page_alone_shows_previews_and_says_so(browser: Any, report: ReportPlace, tmp_path: Path) -> None:
    alone = shutil.copy(report.page, tmp_path / "sent.html")
    browser.set_viewport_size(WIDE)
    browser.goto(Path(alone).as_uri())
    browser.wait_for_function("() => document.querySelector('.status').textContent.includes('report_files')")
    assert shows(browser, LEFT_GREEN, ROAD)


def test_tables_sort_by_click_and_by_key_and_return_to_their_order(page: Any) -> None:
    before = column(page, "town-f1", 1)
    button = page.locator("#town-f1 thead th:nth-child(2) button")
    head = page.locator("#town-f1 thead th:nth-child(2)")
    button.click()
    scores = [float(text.split()[0]) for text in column(page, "town-f1", 2)]
    assert scores == sorted(scores)
    assert head.get_attribute("aria-sort") == "ascending"
    button.focus()
    page.keyboard.press("Enter")
    scores = [float(text.split()[0]) for text in column(page, "town-f1", 2)]
    assert scores == sorted(scores, reverse=True)
    assert head.get_attribute("aria-sort") == "descending"
    page.keyboard.press("Space")
    assert column(page, "town-f1", 1) == before
    assert head.get_attribute("aria-sort") == "none"


def test_words_sort_by_letter_and_signed_and_missing_numbers_by_size(page: Any) -> None:
    page.locator("#town-f1 thead th:nth-child(1) button").click()
    assert column(page, "town-f1", 1) == sorted(column(page, "town-f1", 1))
    order = page.evaluate(
        """() => {
            const table = document.createElement("table");
            for (const text of ["+1.2 (−3 to 4)", "–", "−10.5 ± 2", "1,200", "≈ 1"]) {
                table.insertRow().insertCell().textContent = text;
            }
            return sortedRows([...table.rows], 0, false).map((row) => row.textContent);
        }"""
    )
    assert order == ["−10.5 ± 2", "≈ 1", "+1.2 (−3 to 4)", "1,200", "–"]


def test_divider_swipes_by_pointer_by_slider_and_by_key(page: Any) -> None:
    assert shows(page, LEFT_GREEN, ROAD)  # the image at its left, predicted classes at its right
    box = page.locator(".stage").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.95 * box["width"], middle, steps=4)
    page.mouse.up()
    assert shows(page, LEFT_GREEN, RED)
    slider = page.locator(".divider input")
    assert slider.input_value() == "95"
    slider.focus()
    page.keyboard.press("Home")
    assert shows(page, HOUSE, ROAD)
    page.locator(".stage").focus()
    for _ in range(25):
        page.keyboard.press("]")
    assert slider.input_value() == "50"
    page.keyboard.press("[")
    assert slider.input_value() == "48"
    assert shows(page, LEFT_GREEN, ROAD)


def test_layers_are_chosen_from_lists_and_by_a_press_on_their_picture(page: Any) -> None:
    page.locator(".left").select_option(label="true classes")
    assert colours(page, IN_HOUSE) == [ROAD]
    picture = page.locator("#town-tile1 .layer[data-method=uw][data-kind=prediction][data-task=semantics]")
    picture.locator("a").click()
    assert page.locator(".right option:checked").inner_text() == "uw: predicted classes"
    assert page.locator(".layer.chosen").count() == 2
    page.locator(".left").select_option(label="uw: predicted classes")
    assert shows(page, HOUSE, ROAD)
    assert page.url.startswith("file:")
    assert page.locator(".stage").get_attribute("aria-label").startswith("Left: uw: predicted classes.")


def test_keys_zoom_and_move(page: Any) -> None:
    page.locator(".right").select_option(label="image")
    stage, factor = page.locator(".stage"), page.locator(".factor")
    stage.focus()
    left, right = (0.05, 0.5), (0.95, 0.5)
    for _ in range(4):
        page.keyboard.press("+")
    assert factor.inner_text() == "5.1 ×"
    assert [near(*pair) for pair in zip(colours(page, left, right), (LEFT_GREEN, RED), strict=True)] == [True, True]
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    assert all(near(found, RED) for found in colours(page, left, right))
    for _ in range(12):
        page.keyboard.press("ArrowLeft")
    assert all(near(found, LEFT_GREEN) for found in colours(page, left, right))
    page.keyboard.press("0")
    assert factor.inner_text() == "1 ×"
    page.keyboard.press("-")
    assert factor.inner_text() == "1 ×"


def test_buttons_wheel_and_pointer_zoom_and_move(page: Any) -> None:
    page.locator(".right").select_option(label="image")
    factor = page.locator(".factor")
    page.get_by_role("button", name="Zoom in").click()
    assert factor.inner_text() == "1.5 ×"
    page.get_by_role("button", name="Zoom out").click()
    assert factor.inner_text() == "1 ×"
    page.locator(".stage").scroll_into_view_if_needed()
    box = page.locator(".stage").bounding_box()
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.wheel(0, 10)  # scrolls the page
    assert factor.inner_text() == "1 ×"
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    page.wait_for_function("() => document.querySelector('.factor').textContent !== '1 ×'")
    assert float(factor.inner_text().removesuffix(" ×")) > 4
    # About the pointer, in the west: no red is left.
    assert all(near(found, LEFT_GREEN) for found in colours(page, (0.05, 0.05), (0.95, 0.95)))
    page.get_by_role("button", name="Whole tile").click()
    assert factor.inner_text() == "1 ×"
    page.locator(".stage").dblclick(position={"x": 20, "y": 20})
    assert factor.inner_text() == "2 ×"
    box = page.locator(".stage").bounding_box()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.8 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.8 * box["height"], steps=5)
    page.mouse.up()
    assert near(colours(page, (0.9, 0.5))[0], RED)


def test_methods_stand_side_by_side_and_move_together(page: Any) -> None:
    page.get_by_label("all methods").check()
    captions = [text.strip() for text in page.locator(".pane figcaption").all_inner_texts()]
    assert captions == ["image", "true classes", "joint: predicted classes", "uw: predicted classes"]
    page.locator(".what").select_option(label="height error")
    captions = [text.strip() for text in page.locator(".pane figcaption").all_inner_texts()]
    assert captions == ["image", "true height", "joint: height error", "uw: height error"]
    page.get_by_role("checkbox", name="uw").uncheck()
    assert page.locator(".pane").count() == 3
    page.locator(".stage").first.focus()
    page.keyboard.press("+")
    page.keyboard.press("ArrowLeft")
    transforms = page.evaluate("[...document.querySelectorAll('.pane .moved')].map(e => e.style.transform)")
    assert len(set(transforms)) == 1
    assert "scale(1.5)" in transforms[0]
    assert (page.errors, page.failed) == ([], [])


def test_two_fingers_zoom(page: Any) -> None:
    box = page.locator(".stage").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.evaluate(
        """([x, y, width]) => {
            const stage = document.querySelector(".stage");
            stage.setPointerCapture = () => {};
            const send = (name, pointerId, clientX) => stage.dispatchEvent(
                new PointerEvent(name, {pointerId, clientX, clientY: y, pointerType: "touch", bubbles: true}));
            send("pointerdown", 1, x + 0.4 * width);
            send("pointerdown", 2, x + 0.6 * width);
            send("pointermove", 1, x + 0.3 * width);
            send("pointermove", 2, x + 0.7 * width);
            send("pointerup", 1, x);
            send("pointerup", 2, x);
        }""",
        [box["x"], middle, box["width"]],
    )
    assert page.locator(".factor").inner_text() == "2 ×"


def test_page_fits_a_phone(page: Any) -> None:
    page.set_viewport_size(NARROW)
    page.evaluate("document.querySelectorAll('details').forEach(e => (e.open = true))")
    page.wait_for_function("document.querySelectorAll('.viewer').length === 2")
    wait_for_pictures(page)
    widths = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert widths == [NARROW["width"]] * 2
    assert shows(page, LEFT_GREEN, ROAD)
    for mode in ("all methods", "two layers"):
        page.get_by_label(mode).first.check()
        box = page.locator(".viewer").first.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= NARROW["width"]


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing_serious(page: Any, axe: Path, size: dict[str, int]) -> None:
    page.set_viewport_size(size)
    page.evaluate("document.querySelectorAll('details').forEach(e => (e.open = true))")
    assert grave_faults(page, axe) == []
    page.get_by_label("all methods").first.check()
    assert grave_faults(page, axe) == []


def test_print_has_the_pictures_and_no_controls(page: Any) -> None:
    page.emulate_media(media="print")
    assert not page.locator(".viewer").first.is_visible()
    assert page.locator("#town-tile1 .layer img").first.is_visible()
    assert page.pdf()[:5] == b"%PDF-"


def test_without_scripts_the_page_has_tables_and_pictures(browser: Any, report: ReportPlace) -> None:
    context = browser.context.browser.new_context(java_script_enabled=False, viewport=WIDE, offline=True)
    plain = context.new_page()
    plain.goto(report.page.as_uri())
    assert plain.locator("#town-tile1 .layer img").first.is_visible()
    assert plain.locator("#town-main table").is_visible()
    assert plain.locator(".viewer").count() == 0
    assert plain.locator("#town-main button").count() == 0
    context.close()

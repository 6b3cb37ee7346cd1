"""Views of windows: which passes they are, and that maps come back to where the image is."""

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mtlaerial.config import Augmentation, PredictionSpec
from mtlaerial.config.prediction import VIEWS
from mtlaerial.config.unseen_views import unseen_notes, unseen_views
from mtlaerial.errors import ConfigError
from mtlaerial.models.height_heads import LinearHead
from mtlaerial.models.normalisation import Normalisation
from mtlaerial.prediction.map_network import MapNetwork
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.prediction.settings import prediction_for
from mtlaerial.prediction.views import views_of
from support import tiny

WINDOW = 64
NOTE = "Predicted with views that the training did not see: {}, of {}; maps may be worse than without."


def prediction(*views: str) -> PredictionSpec:
    return PredictionSpec.parse({"window": WINDOW, "stride": WINDOW, "views": list(views)}, "prediction")


def network(forward: Any, *views: str, multiple: int = 32) -> MapNetwork:
    return MapNetwork(forward, Normalisation(-1, 1), prediction(*views), {"height": 1}, LinearHead(1), multiple)


def ramp(rows: int, columns: int) -> Tensor:
    """Return images (1, 1, rows, columns) whose values are linear in row and column."""
    return (torch.arange(rows)[:, None] * 0.01 + torch.arange(columns) * 0.003)[None, None].float()


@pytest.mark.parametrize("views", [names for size in range(4) for names in itertools.combinations(VIEWS, size)])
def test_a_network_of_single_pixels_is_the_same_under_all_views(views: tuple[str, ...]) -> None:
    """Of a ramp, resampling there and back leaves the inner pixels, unless it shifts them by a part of a pixel."""
    image = ramp(96, WINDOW)
    heights = network(lambda view: [{"height": 2 * view}], *views)(image)
    inner = (..., slice(4, -4), slice(4, -4))
    torch.testing.assert_close(heights[inner], 2 * image[inner], atol=1e-5, rtol=0)


def test_heights_stay_metres_at_all_scales() -> None:
    heights = network(lambda view: [{"height": torch.full_like(view[:, :1], 7)}], "scales")(ramp(WINDOW, WINDOW))
    torch.testing.assert_close(heights, torch.full((1, 1, WINDOW, WINDOW), 7.0), atol=1e-5, rtol=0)


def test_views_turn_with_the_image() -> None:
    """A mean over mirrored and turned views follows the image, whatever the network."""
    weights = torch.randn(1, 1, 3, 3)
    mapper = network(
        lambda view: [{"height": torch.nn.functional.conv2d(view, weights, padding=1)}], "mirror", "turns", "scales"
    )
    image = torch.rand(1, 1, WINDOW, WINDOW)
    for turned in (lambda x: torch.rot90(x, 1, (-2, -1)), lambda x: x.flip(-2)):
        torch.testing.assert_close(mapper(turned(image)), turned(mapper(image)), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("multiple", "sizes"), [(32, [(64, 96), (64, 96), (96, 128)]), (64, [(64, 128), (64, 128), (128, 192)])]
)
def test_a_view_is_filled_to_a_size_that_the_network_takes(multiple: int, sizes: list[tuple[int, int]]) -> None:
    shapes = []

    def forward(view: Tensor) -> list[dict[str, Tensor]]:
        shapes.append((view.shape[-2], view.shape[-1]))
        return [{"height": view}]

    rows, columns = sizes[0]
    assert network(forward, "scales", multiple=multiple)(ramp(rows, columns)).shape == (1, 1, rows, columns)
    assert shapes == sizes, "one view at a time: 1, 0.8 and 1.25 of the window, filled to the multiple"


def test_no_view_is_the_window_alone_and_mirror_and_turns_are_the_eight_symmetries() -> None:
    assert views_of(()) == [(0, False, 1.0)]
    assert views_of(("mirror", "turns")) == [(turn, mirror, 1.0) for mirror in (False, True) for turn in range(4)]
    image = torch.rand(1, 1, 8, 8)
    torch.testing.assert_close(network(lambda view: [{"height": view.exp()}])(image), image.exp())


def test_the_numbers_of_earlier_versions_are_names_now() -> None:
    parse = PredictionSpec.parse
    assert parse({"views": 1}, "prediction") == parse({}, "prediction") == parse({"views": []}, "prediction")
    assert parse({"views": 8}, "prediction").views == ("mirror", "turns")
    assert parse({"views": ["scales", "mirror"]}, "prediction").views == ("mirror", "scales")


@pytest.mark.parametrize(
    ("views", "message"),
    [
        (2, "views: found 2; expected a list of some of mirror, turns, scales. Write [] for no views"),
        ("mirror", "Write [mirror]."),
        (["miror"], "views.0: found 'miror'; expected 'mirror', 'turns' or 'scales'"),
        (["mirror", "mirror"], "views: found mirror twice"),
    ],
)
def test_what_is_no_list_of_views_is_refused(views: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        PredictionSpec.parse({"views": views}, "prediction")
    assert message in str(caught.value)


def test_views_of_the_command_line_replace_those_of_the_run(run_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    assert prediction_for(run_folder, views="scales, mirror").views == ("mirror", "scales")
    assert "views mirror, scales instead of none" in caplog.text
    assert prediction_for(run_folder, views="none").views == ()
    with pytest.raises(ConfigError, match=r"--views: found 'turn'; expected none, or some of .* Did you mean turns\?"):
        prediction_for(run_folder, views="mirror,turn")


def test_views_are_unseen_where_the_augmentation_lacks_them() -> None:
    seen = Augmentation(flip=True, quarter_turns=True, zoom=0.25)
    assert unseen_views(VIEWS, seen) == []
    assert unseen_views((), Augmentation(flip=False)) == []
    assert unseen_views(VIEWS, Augmentation(flip=False, zoom=0.2)) == [
        "mirror (training.augmentation.flip is false)",
        "turns (training.augmentation.quarter_turns is false)",
        "scales (training.augmentation.zoom is 0.2, below 0.25)",
    ]


def test_one_sentence_names_the_methods_of_the_same_unseen_views() -> None:
    unseen = [
        ("a", ["turns (x)"]),
        ("b", []),
        ("c", ["turns (x)", "turns (x)"]),
        ("d", unseen_views(("mirror",), None)),
    ]
    notes = [NOTE.format("turns (x)", "a, c"), NOTE.format("mirror (perhaps: its training is not known)", "d")]
    assert unseen_notes(unseen) == notes


def test_a_prediction_warns_of_views_that_the_training_did_not_see_and_says_what_they_cost(
    run_folder: Path, tiles: dict[str, list[Path]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    Predictor(run_folder, prediction("mirror"))
    assert "did not see" not in caplog.text
    predictor = Predictor(run_folder, prediction("mirror", "scales"))
    (warning,) = [record.message for record in caplog.records if "did not see" in record.message]
    assert warning == NOTE.format("scales (training.augmentation.zoom is 0, below 0.25)", "equal")
    predictor.predict_tiles(tiles["test"], tmp_path)
    assert f"windows of {WINDOW} x {WINDOW} pixels" in caplog.text
    assert "; 6 passes each: 6 views" in caplog.text
    assert tiny.SIZE > WINDOW, "several windows, whose seams are blended"

"""Styles and noise of generated data sets."""

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import rasterio

from mtlaerial.config import DatasetSpec, Generation, Layer, NoiseSpec
from mtlaerial.config.generation import StyleName
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.check import check_dataset, summary
from mtlaerial.datasets.generation_note import NOTE
from mtlaerial.errors import ConfigError
from mtlaerial.synthetic.city import STYLES, Kind, View, render
from mtlaerial.synthetic.encode import sources
from mtlaerial.synthetic.generate import synthesise
from mtlaerial.synthetic.tile_layout import Place
from support import tiny
from support.generated_layouts import CLASSES, FOOTPRINTS, LAYOUTS, SEED, spec_of

Layers = dict[tuple[str, str], np.ndarray]
SIZE = 96
LAYERS = {"image": "images", "height": "height", "labels": "labels"}


def generate(folder: Path, spec: DatasetSpec | None = None, **options: Any) -> Layers:
    """Return the raw layers of each tile of a small town, by layer and tile."""
    dataset = Dataset("city", spec or tiny.city_spec(), folder)
    synthesise(dataset, **{"seed": SEED, "size": SIZE, **options})
    layers: Layers = {}
    for tile in dataset.spec.tiles:
        for layer, name in LAYERS.items():
            with rasterio.open(folder / name / f"{tile}.tif") as source:
                layers[layer, tile] = source.read()
    return layers


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Layers:
    """Return the layers of the town without noise."""
    return generate(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Layers:
    """Return the layers of the same town with noise of all of them."""
    noise = {"image": 0.03, "height": 0.5, "labels": 0.2}
    return generate(tmp_path_factory.mktemp("noisy"), noise=noise)


def changed(before: Layers, after: Layers) -> set[tuple[str, str]]:
    """Return the layers that differ, of those in ``after``."""
    return {key for key, values in after.items() if not np.array_equal(values, before[key])}


def test_the_styles_are_those_of_the_configuration() -> None:
    assert tuple(STYLES) == get_args(StyleName)


def test_the_planned_town_stays_as_it_was() -> None:
    """Runs and published numbers are of these pixels; sums allow for the last bit of other processors."""
    view = render(STYLES["grid"], 3, 0, 0, 120, 120, 1.0)
    counts = np.bincount(view.kind.ravel(), minlength=len(Kind))
    expected = 2843, 975, 0, 0, 76, 2100, 339, 297, 1044, 1368, 1212, 1647, 120, 1391, 67, 661, 260
    np.testing.assert_allclose(counts, expected, atol=2)
    colours = view.colour.mean(axis=(0, 1))
    np.testing.assert_allclose(colours, (0.382777, 0.4036667, 0.3397, 0.4844475), atol=2e-5)
    np.testing.assert_allclose([view.height.mean(), view.ground.mean()], [2.723917, 50.21417], rtol=1e-4)


def test_organic_towns_follow_from_the_seed_and_differ_from_planned_ones(tmp_path: Path) -> None:
    spec, towns = tiny.city_spec(splits={"train": ["city_1"]}), []
    for style, seed in (("organic", 1), ("organic", 1), ("organic", 2), ("grid", 1)):
        towns.append(generate(tmp_path / str(len(towns)), spec, style=style, size=64, seed=seed))
    organic, again, reseeded, grid = towns
    assert changed(organic, again) == set()
    images = {key for key in organic if key[0] == "image"}
    assert images <= changed(organic, reseeded)
    assert images <= changed(organic, grid)


def test_the_styles_have_other_colours() -> None:
    """Roofs are redder in the planned town, foliage in the autumn of the other."""
    ratios = {}
    for name, style in STYLES.items():
        view = render(style, SEED, 0, 0, 128, 128, 1.0)
        red, green = view.colour[..., 0], view.colour[..., 1]
        ratios[name] = [float((red / green)[view.kind == kind].mean()) for kind in (Kind.HOUSE, Kind.DECIDUOUS)]
    assert ratios["grid"][0] > ratios["organic"][0] + 0.05
    assert ratios["organic"][1] > ratios["grid"][1] + 0.3


def test_noise_leaves_the_truth_of_test_tiles_alone(plain: Layers, noisy: Layers) -> None:
    truth_of_test = {("height", "city_4"), ("labels", "city_4")}
    assert changed(plain, noisy) == set(plain) - truth_of_test


@pytest.mark.parametrize("layer", LAYERS)
def test_each_noise_changes_its_layer_only(layer: str, plain: Layers, noisy: Layers, tmp_path: Path) -> None:
    amount = {"image": 0.03, "height": 0.5, "labels": 0.2}[layer]
    alone = generate(tmp_path, tiny.city_spec(splits={"train": ["city_1"]}), noise={layer: amount})
    assert changed(plain, alone) == {(layer, "city_1")}
    assert (layer, "city_1") not in changed(noisy, alone)


def test_no_noise_is_none(plain: Layers, tmp_path: Path) -> None:
    spec = tiny.city_spec(splits={"train": ["city_1"]})
    assert changed(plain, generate(tmp_path, spec, noise={"image": 0.0, "height": 0, "labels": 0})) == set()


def test_noise_is_as_large_as_its_units_say(plain: Layers, noisy: Layers) -> None:
    trained = [*tiny.SPLITS["train"], *tiny.SPLITS["val"]]
    before, after = ([layers["image", tile] for tile in trained] for layers in (plain, noisy))
    within = (np.array(before) > 40) & (np.array(before) < 200)  # else it is clipped
    error = (np.array(after, float) - np.array(before))[within] / 255
    assert abs(error.mean()) < 1e-3
    assert error.std() == pytest.approx(0.03, rel=0.03)
    heights = np.array([[layers["height", tile] for tile in trained] for layers in (plain, noisy)])
    valid = heights[0] != -9999
    np.testing.assert_array_equal(heights[1] != -9999, valid)
    error = (heights[1] - heights[0])[valid]
    assert abs(error.mean()) < 0.01
    assert error.std() == pytest.approx(0.5, rel=0.03)
    assert abs(np.corrcoef(error[:-1], error[1:])[0, 1]) < 0.02
    labels = np.array([[layers["labels", tile] for tile in trained] for layers in (plain, noisy)])
    np.testing.assert_array_equal(labels[1] == 0, labels[0] == 0)
    assert np.mean(labels[1] != labels[0]) == pytest.approx(0.2, abs=0.05)
    assert set(np.unique(labels[1])) <= {0, 1, 2, 3, 4, 5, 6}


SLOPE = np.linspace(0, 6, 600, dtype=np.float32) * np.ones((400, 1), np.float32)
"""Heights from the ground to 6 m, from west to east."""


@pytest.mark.parametrize(
    ("keys", "eight_bit"),
    [
        ({}, False),
        ({"zero_height": "ignore"}, False),
        ({"scale": 0.1, "zero_height": "ignore"}, True),
        ({"scale": 0.1}, True),
        ({"valid_range": [-0.5, 6.5]}, False),
    ],
    ids=["any", "positive", "positive, 8 bits", "8 bits", "range"],
)
def test_noise_does_not_change_the_mean_of_the_heights_that_are_trained_on(
    keys: dict[str, Any], eight_bit: bool
) -> None:
    spec = tiny.city_spec(height={"files": ["height/{tile}.tif"], **keys}).height
    assert spec
    ratios: dict[Layer, int] = {"image": 1, "height": 1, "labels": 1}
    listed = sources(tiny.city_spec(height=spec.model_dump()), SEED, ratios, eight_bit)
    source = next(each for each in listed if each.layer == "height")
    view = View(SLOPE[..., None], np.zeros(SLOPE.shape, np.uint8), SLOPE, 0 * SLOPE)
    heights = source.encode(view, Place(0, 0, *SLOPE.shape), 0, NoiseSpec(height=1))[0] * spec.scale
    low, high = spec.valid_range
    trained = (heights >= low) & (heights <= high) & ((heights > 0) | (spec.zero_height == "valid"))
    errors = np.where(trained, heights - SLOPE, np.nan)
    by_half_metres = np.nanmean(errors.reshape(400, 12, 50), axis=(0, 2))
    np.testing.assert_allclose(by_half_metres, 0, atol=0.04)
    assert np.nanstd(errors[:, 330:350]) == pytest.approx(1, rel=0.03)


def labels_of(spec: DatasetSpec, kind: Kind, share: float) -> np.ndarray:
    """Return the labels of a plain of one kind, of which a share is wrong."""
    ratios: dict[Layer, int] = {"image": 1, "height": 1, "labels": 1}
    source = next(source for source in sources(spec, SEED, ratios, False) if source.layer == "labels")
    flat = np.zeros((400, 400), np.float32)
    view = View(flat[..., None], np.full(flat.shape, kind, np.uint8), flat, flat)
    return source.encode(view, Place(0, 0, *flat.shape), 0, NoiseSpec(labels=share))


def test_what_has_no_class_stays_without_one() -> None:
    classes = [entry for entry in CLASSES if entry["name"] != "paved"]
    spec = spec_of(**FOOTPRINTS, labels={"files": "labels.tif", "classes": classes, "ignore": [0]})
    assert not labels_of(spec, Kind.ROAD, 0.9).any()
    assert {*np.unique(labels_of(spec, Kind.HOUSE, 0.9))} == {0, 3, 300}  # 0: cells without data


def test_wrong_labels_are_those_of_other_classes_in_any_encoding() -> None:
    spec = LAYOUTS["vaihingen"][0]
    assert spec.labels is not None
    colours = {entry.values[0] for entry in spec.labels.classes}
    exact, wrong = (labels_of(spec, Kind.HOUSE, share) for share in (0, 0.9))
    assert np.ptp(exact.reshape(3, -1), axis=1).max() == 0
    assert {*map(tuple, wrong[:, ::9, ::9].reshape(3, -1).T.tolist())} == colours
    # The class changes at the edges of squares of 4 m only, of which nine are between the 400 columns of 0.09 m.
    steps = (np.diff(wrong.astype(int), axis=2) != 0).any(axis=(0, 1))
    assert 0 < steps.sum() <= 9


def test_a_mosaic_is_exact_where_test_tiles_are(tmp_path: Path) -> None:
    spec = LAYOUTS["footprints"][0]
    exact, noisy = (Dataset("town", spec, tmp_path / name) for name in ("exact", "noisy"))
    synthesise(exact, seed=SEED, size=64)
    synthesise(noisy, seed=SEED, size=64, noise={"labels": 0.5, "height": 1})
    parts = []
    for dataset in (exact, noisy):
        with rasterio.open(dataset.root / "labels.tif") as source:
            parts.append(source.read(1))
    west, others = (parts[0] != parts[1])[:64, :64], (parts[0] != parts[1]).copy()
    others[:64, :64] = False
    assert west.mean() > 0.2
    assert not others.any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"style": "gird"}, "generate, key style: found 'gird'; expected 'grid' or 'organic'"),
        ({"noise": {"labels": 1.0}}, "generate, key noise.labels: found 1.0; expected a number less than 1"),
        ({"noise": {"image": -0.1}}, "generate, key noise.image: found -0.1; expected a number of at least 0"),
        ({"noise": {"heights": 0.1}}, "key noise.heights: found an unknown key; .* Did you mean height?"),
        ({"noise": 0.1}, "generate, key noise: found 0.1; expected "),
    ],
)
def test_bad_values_are_one_sentence(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        Generation.parse(options, "generate")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "noise", "message"),
    [
        ({"height": None}, {"height": 0.5}, r"noise\.height: found 0\.5 for a data set without height; expected 0"),
        ({"labels": None}, {"labels": 0.5}, r"noise\.labels: found 0\.5 for a data set without labels; expected 0"),
        ({"splits": {}, "areas": {"a": ["west"], "b": ["x"]}}, {"labels": 0.5}, r"noise\.labels: .*0 with areas"),
        ({}, {"label": 0.5}, r"noise, key label: found an unknown key"),
    ],
)
def test_noise_without_a_place_is_refused(
    changes: dict[str, Any], noise: dict[str, float], message: str, tmp_path: Path
) -> None:
    spec = spec_of(**FOOTPRINTS, **changes)
    with pytest.raises(ConfigError, match=message):
        synthesise(Dataset("town", spec, tmp_path), seed=0, size=64, noise=noise)
    assert not list(tmp_path.iterdir())


def test_style_and_noise_are_stated(tmp_path: Path) -> None:
    spec = tmp_path / "city.yaml"
    spec.write_text((tiny.CONFIG / "datasets" / "city.yaml").read_text())
    described = {"a": ("grid", {}), "b": ("organic", {}), "c": ("organic", {"labels": 0.1})}
    titles = ["Generated city", "Generated city, organic", "Generated city, organic, with noise"]
    for (name, (style, noise)), title in zip(described.items(), titles, strict=True):
        generation = Generation.parse({"style": style, "noise": noise}, "generate")
        planned = Dataset.of(spec, tmp_path / name, generation=generation)
        small = replace(planned, spec=tiny.city_spec(splits={"train": ["city_1"]}, title="Town"))
        synthesise(small, seed=0, size=64, style=generation.style, noise=noise)
        assert Dataset.of(spec, tmp_path / name).spec.title == planned.spec.title == title
        assert generation.description in (tmp_path / name / NOTE).read_text()
        assert f"(generated data: {generation.description})" in summary(check_dataset(small))
    assert generation.description == "style organic; noise: labels 0.1 of the ground outside test tiles"
    note = tmp_path / "a" / NOTE
    note.write_text("\n".join(note.read_text().splitlines()[:2]))  # as earlier versions wrote it
    assert Dataset.of(spec, tmp_path / "a").spec.title == titles[0]

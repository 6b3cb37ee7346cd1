import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtlaerial.figures import conflict_figure, curves_figure, read_caption, save_vectors
from mtlaerial.figures.series import FEW, running_median
from support.sample_figures import description, texts

FEW_ROWS, MANY_ROWS = FEW - 10, 400
COSINE = "cosine_semantics_height"


def history(rows=FEW_ROWS, seed=0, **columns) -> pd.DataFrame:
    """Make a history of ten epochs, each validated at its end; every tenth cosine is missing."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"step": 5 * np.arange(1, rows + 1), "epoch": 10 * np.arange(1, rows + 1) / rows})
    for name in ("loss", "norm", "weight"):
        for task, scale in (("semantics", 0.1), ("height", 0.4)):
            table[f"{name}_{task}"] = scale * rng.uniform(1, 2, rows)
    table[COSINE] = np.where(np.arange(rows) % 10 == 5, np.nan, rng.uniform(-1, 1, rows))
    for name in ("OA", "mIoU", "MAE", "RMSE"):
        table[f"val_{name}"] = np.where(table["epoch"] % 1 == 0, rng.uniform(0.2, 0.9, rows), np.nan)
    return table.assign(**columns)


def titled(figure: Figure, title: str) -> Axes:
    return next(axes for axes in figure.axes if axes.get_title() == title)


def drawn(axes: Axes) -> list[list[float]]:
    """Return the values of the lines over epochs, but for the line at 0."""
    return [list(line.get_ydata()) for line in axes.lines if len(line.get_xdata()) != 2]


def same(lines, series) -> bool:
    return len(lines) == len(series) and all(
        np.array_equal(line, values, equal_nan=True) for line, values in zip(lines, series, strict=True)
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "figure.png"


def test_curves_show_what_the_histories_have(path):
    table = pd.DataFrame({"epoch": [0.5, 1, 1.5], "loss_height": [3.0, 2.0, 1.0], "val_MAE": [np.nan, 2.0, np.nan]})
    figure = curves_figure({"seed 1": table, "seed 2": table}, [description(("height",))] * 2, path)
    assert [axes.get_ylabel() for axes in figure.axes] == ["L1 loss (m)", "error (m)"]
    assert figure.axes[0].lines[0].get_xydata().tolist() == [[0.5, 3.0], [1.0, 2.0], [1.5, 1.0]]
    assert figure.axes[1].lines[0].get_xydata().tolist() == [[1.0, 2.0]]
    assert "seed 1\nseed 2" in texts(figure)


def test_many_losses_are_points_and_their_median_but_scores_stay_as_they_are(path):
    table = history(MANY_ROWS)
    figure = curves_figure({"seed 1": table}, [description()], path)
    losses, scores = titled(figure, "training loss of height"), titled(figure, "validation of height")
    assert same(drawn(losses), [table["loss_height"], running_median(table["loss_height"])])
    assert [line.get_marker() for line in losses.lines] == [".", "None"]
    assert same(drawn(scores), [table[name].dropna() for name in ("val_MAE", "val_RMSE")])


def test_the_epoch_that_validation_chose_is_ringed(path):
    table = history()
    runs = [description(epoch=3, selection="best"), description(epoch=7, selection="best")]
    figure = curves_figure({"seed 1": table, "seed 2": table}, runs, path)
    rings = [line for line in titled(figure, "validation of height").lines if line.get_fillstyle() == "none"]
    expected = [
        [[run.epoch, table.loc[table["epoch"] == run.epoch, score].item()]]
        for run in runs for score in ("val_MAE", "val_RMSE")
    ]  # fmt: skip
    assert [ring.get_xydata().tolist() for ring in rings] == expected
    assert "chosen epoch" in texts(figure)
    assert "seed 1, epoch 3; seed 2, epoch 7" in read_caption(path).description


def test_no_epoch_is_ringed_without_validation(path):
    """Without validation tiles, the weights of the last epoch are kept whatever the selection is."""
    table = pd.DataFrame({"epoch": [0.5, 1.0], "loss_height": [3.0, 2.0]})
    figure = curves_figure({"seed 1": table}, [description(("height",), epoch=1, selection="best")], path)
    assert "chosen epoch" not in texts(figure)
    assert "Rings" not in read_caption(path).description


def test_vector_formats_have_the_caption_and_no_date_and_equal_bytes(path):
    contents = []
    table = pd.DataFrame({"epoch": [0.5, 1.0, 1.5], "loss_height": [3.0, 2.0, 1.0]})
    for folder in ("first", "second"):
        copy = path.with_name(folder) / "curves.png"
        figure = curves_figure({"seed 1": table}, [description(("height",))], copy)
        save_vectors(figure, copy, ("svg", "pdf"))
        contents.append([copy.with_suffix(f".{name}").read_bytes() for name in ("svg", "pdf")])
    assert contents[0] == contents[1]
    svg, pdf = contents[0]
    assert b"<dc:title>Small town: learning curves of joint</dc:title>" in svg
    assert b"/Title (Small town: learning curves of joint)" in pdf
    for content in (svg, pdf):
        assert b"Date" not in content
        assert b"matplotlib.org" not in content
    assert pdf.startswith(b"%PDF")
    assert b"/Type3" not in pdf


def test_no_epoch_is_ringed_where_the_last_weights_are_kept(path):
    figure = curves_figure({"seed 1": history()}, [description(epoch=10)], path)
    assert not [line for axes in figure.axes for line in axes.lines if line.get_fillstyle() == "none"]
    assert "chosen" not in texts(figure)


def test_running_median_is_centred_and_leaves_out_what_is_missing():
    values = pd.Series([1.0, 9.0, np.nan, 2.0, 3.0, *[np.nan] * 5, 7.0])
    expected = [5.0, 2.0, 2.5, 3.0, 2.5, 2.5, 3.0, np.nan, 7.0, 7.0, 7.0]
    np.testing.assert_array_equal(running_median(values), expected)
    assert running_median(pd.Series(np.arange(4001.0)))[0] == 25


def test_conflict_shows_what_the_histories_say(path):
    tables = {"seed 1": history(seed=1), "seed 2": history(seed=2)}
    figure = conflict_figure(tables, description(), path)
    cosine = titled(figure, "cosine between the gradients of semantics and height")
    one, two = tables.values()
    assert same(drawn(cosine), [one[COSINE], two[COSINE]])
    for title, kind in (("norms of the gradients", "norm"), ("weights of the tasks", "weight")):
        axes = titled(figure, title)
        expected = [table[f"{kind}_{task}"] for task in ("semantics", "height") for table in (one, two)]
        assert same(drawn(axes), expected)
        assert [line.get_linestyle() for line in axes.lines] == ["-", "-", "--", "--"]
        assert axes.lines[0].get_color() == axes.lines[2].get_color() != axes.lines[1].get_color()
    assert list(cosine.lines[1].get_xdata()) == list(one["epoch"])
    assert cosine.get_ylim() == (-1, 1)


def test_the_cosine_is_named_in_the_order_of_the_tasks(path):
    table = history().rename(columns={COSINE: "cosine_height_semantics"})
    figure = conflict_figure({"seed 1": table}, description(("height", "semantics")), path)
    cosine = titled(figure, "cosine between the gradients of semantics and height")
    assert same(drawn(cosine), [table["cosine_height_semantics"]])


def test_missing_cosines_are_gaps_and_not_counted(path):
    table = history(MANY_ROWS)
    table.loc[table["epoch"].between(4, 6), COSINE] = np.nan
    figure = conflict_figure({"seed 1": table}, description(), path)
    points, median = drawn(titled(figure, "cosine between the gradients of semantics and height"))
    assert np.array_equal(points, table[COSINE], equal_nan=True)
    assert np.isnan(median[MANY_ROWS // 2])
    cosines = table[COSINE].dropna()
    share = f"{100 * (cosines < 0).mean():.0f} % of {len(cosines)} steps"
    assert f"conflict: {share}" in " ".join(texts(figure).split())
    assert f"seed 1, {share}" in read_caption(path).description


def test_conflict_says_data_method_weighting_and_units(path):
    figure = conflict_figure({"seed 1": history()}, description(generated=True, weighting="gradnorm"), path)
    for words in ("Small town (generated data)", "joint, weighting gradnorm", "agreement", "conflict:\n",
                   "semantics: nat,\nheight: m", "seed 1\nsemantics\nheight"):  # fmt: skip
        assert words in texts(figure)
    caption = read_caption(path)
    assert caption.dataset == "town"
    assert caption.title == "Small town (generated data): conflict between the tasks, joint, weighting gradnorm"
    assert "weight of height, " in caption.description


@pytest.mark.parametrize("task", ["semantics", "height"])
def test_a_method_with_one_task_has_no_conflict(path, task):
    assert conflict_figure({"seed 1": history()}, description((task,)), path) is None
    assert not path.exists()


@pytest.mark.parametrize(
    ("semantics", "height", "scale"),
    [(1.0, 1.0, "linear"), (1.0, 0.5, "linear"), (1.0, 0.05, "log"), (1.0, 0.0, "linear"), (0.0, 0.0, "linear")],
)
@pytest.mark.filterwarnings("error")
def test_weights_far_apart_have_a_logarithmic_axis(path, semantics, height, scale):
    table = history(weight_semantics=semantics, weight_height=height)
    axes = titled(conflict_figure({"seed 1": table}, description(), path), "weights of the tasks")
    assert axes.get_yscale() == scale
    assert same(drawn(axes), [table["weight_semantics"], table["weight_height"]])
    low, high = axes.get_ylim()
    assert low <= min(semantics, height) <= max(semantics, height) <= high


@pytest.mark.parametrize("rows", [FEW_ROWS, MANY_ROWS])
@pytest.mark.filterwarnings("error")
def test_norms_of_zero_are_gaps(path, rows):
    table = history(rows, norm_height=0.0)
    table.loc[0, "norm_semantics"] = 0
    axes = titled(conflict_figure({"seed 1": table}, description(), path), "norms of the gradients")
    assert axes.get_yscale() == "log"
    low, high = axes.get_ylim()
    assert 0.05 < low < table["norm_semantics"][1:].min()
    assert table["norm_semantics"].max() < high < 1
    lines = drawn(axes)
    assert np.array_equal(lines[0], table["norm_semantics"].replace(0, np.nan), equal_nan=True)
    assert np.isnan(lines[-1]).all()


@pytest.mark.filterwarnings("error")
def test_a_training_without_any_gradient_is_drawn_too(path):
    table = history(norm_semantics=0.0, norm_height=0.0, **{COSINE: np.nan})
    figure = conflict_figure({"seed 1": table}, description(), path)
    assert "conflict:\nnothing\nmeasured" in texts(figure)
    assert "cosine, not known and not known" in read_caption(path).description

import numpy as np
import pandas as pd
import pytest

from mtlaerial.figures import curves_figure, read_caption, save_vectors
from mtlaerial.figures.series import running_median
from support.sample_figures import MANY_ROWS, description, drawn, history, same, texts, titled


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


@pytest.mark.full("draws six figures")
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

import numpy as np
import pandas as pd
import pytest

from mtlaerial.figures import conflict_figure, read_caption
from support.sample_figures import FEW_ROWS, MANY_ROWS, description, drawn, history, same, texts, titled

COSINE = "cosine_features_semantics_height"
FEATURES, PARAMETERS = "shared features", "trunk's parameters"
COSINES = f"cosine at the {FEATURES}"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "figure.png"


def older(table: pd.DataFrame) -> pd.DataFrame:
    """Return a history as older versions wrote it: gradients at the features alone, without the level's name."""
    recorded = table.drop(columns=[name for name in table if "_parameters_" in name])
    return recorded.rename(columns=lambda name: name.replace("_features", ""))


def test_conflict_shows_both_levels_of_the_histories(path):
    tables = {"seed 1": history(seed=1), "seed 2": history(seed=2)}
    figure = conflict_figure(tables, description(), path)
    one, two = tables.values()
    for level, title in (("features", FEATURES), ("parameters", PARAMETERS)):
        cosine, column = titled(figure, f"cosine at the {title}"), f"cosine_{level}_semantics_height"
        assert same(drawn(cosine), [one[column], two[column]])
        assert list(cosine.lines[1].get_xdata()) == list(one["epoch"])
        assert cosine.get_ylim() == (-1, 1)
    kinds = {f"norms at the {FEATURES}": "norm_features", f"norms at the {PARAMETERS}": "norm_parameters",
             "weights of the tasks": "weight"}  # fmt: skip
    for title, kind in kinds.items():
        axes = titled(figure, title)
        expected = [table[f"{kind}_{task}"] for task in ("semantics", "height") for table in (one, two)]
        assert same(drawn(axes), expected)
        assert [line.get_linestyle() for line in axes.lines] == ["-", "-", "--", "--"]
        assert axes.lines[0].get_color() == axes.lines[2].get_color() != axes.lines[1].get_color()


def test_histories_of_older_versions_are_at_the_features(path):
    tables = {"seed 1": older(history(seed=1)), "seed 2": older(history(seed=2))}
    figure = conflict_figure(tables, description(), path)
    assert same(drawn(titled(figure, COSINES)), [table["cosine_semantics_height"] for table in tables.values()])
    norms = drawn(titled(figure, f"norms at the {FEATURES}"))
    assert same(norms, [table[f"norm_{task}"] for task in ("semantics", "height") for table in tables.values()])
    assert PARAMETERS not in " ".join(axes.get_title() for axes in figure.axes)
    assert "Nothing was recorded at the trunk's parameters" in read_caption(path).description


@pytest.mark.full("draws a figure; histories of older versions are in the quick tier")
def test_a_training_that_an_older_version_began_is_one_line(path):
    table = history()
    begun = pd.concat([older(table.head(8)), table.tail(FEW_ROWS - 8)], ignore_index=True)
    figure = conflict_figure({"seed 1": begun}, description(), path)
    assert same(drawn(titled(figure, COSINES)), [table[COSINE]])
    (at_parameters,) = drawn(titled(figure, f"cosine at the {PARAMETERS}"))
    assert np.isnan(at_parameters[:8]).all()


@pytest.mark.quick_cases(1, "draws a figure a case")
@pytest.mark.parametrize(("weighting", "level"), [("pcgrad", PARAMETERS), ("equal", None)])
def test_the_level_at_which_the_method_works_is_marked(path, weighting, level):
    figure = conflict_figure({"seed 1": history()}, description(weighting=weighting), path)
    marked = [axes.get_title() for axes in figure.axes if "the level of this method" in axes.get_title()]
    assert marked == ([f"cosine at the {level}\n(the level of this method)"] if level else [])
    assert (f"The method works at the {level}." in read_caption(path).description) == bool(level)


def test_the_cosine_is_named_in_the_order_of_the_tasks(path):
    table = history().rename(columns=lambda name: name.replace("semantics_height", "height_semantics"))
    figure = conflict_figure({"seed 1": table}, description(("height", "semantics")), path)
    assert same(drawn(titled(figure, COSINES)), [table["cosine_features_height_semantics"]])


def test_missing_cosines_are_gaps_and_not_counted(path):
    table = history(MANY_ROWS)
    table.loc[table["epoch"].between(4, 6), COSINE] = np.nan
    figure = conflict_figure({"seed 1": table}, description(), path)
    points, median = drawn(titled(figure, COSINES))
    assert np.array_equal(points, table[COSINE], equal_nan=True)
    assert np.isnan(median[MANY_ROWS // 2])
    cosines = table[COSINE].dropna()
    share = f"{100 * (cosines < 0).mean():.0f} % of {len(cosines)} steps"
    assert f"conflict: {share}" in " ".join(texts(figure).split())
    assert f"At the {FEATURES}: conflict in seed 1, {share}" in read_caption(path).description


def test_a_step_of_three_tasks_with_a_pair_in_conflict_is_one_step_in_conflict(path):
    tasks = ("semantics", "height", "edges")
    pairs = {f"cosine_features_{pair}": 0.5 for pair in ("semantics_height", "semantics_edges", "height_edges")}
    table = history(loss_edges=1.0, norm_features_edges=1.0, weight_edges=1.0, **pairs)
    table = table.drop(columns=[name for name in table if "_parameters_" in name])
    table.loc[:2, "cosine_features_height_edges"] = -0.1
    table.loc[4, list(pairs)] = np.nan
    table.loc[5, "cosine_features_semantics_height"] = np.nan
    figure = conflict_figure({"seed 1": table}, description(tasks), path)
    share = f"{300 / (FEW_ROWS - 1):.0f} % of {FEW_ROWS - 1} steps"
    assert f"conflict of any pair: {share}" in " ".join(texts(figure).split())
    caption = read_caption(path).description
    assert "a step in conflict has one of any pair" in caption
    assert f"conflict in seed 1, {share};" in caption


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


@pytest.mark.quick_cases(2, "draws a figure a case")
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


@pytest.mark.quick_cases(1, "draws a figure a case")
@pytest.mark.parametrize("rows", [FEW_ROWS, MANY_ROWS])
@pytest.mark.filterwarnings("error")
def test_norms_of_zero_are_gaps(path, rows):
    table = history(rows, norm_parameters_height=0.0)
    table.loc[0, "norm_parameters_semantics"] = 0
    axes = titled(conflict_figure({"seed 1": table}, description(), path), f"norms at the {PARAMETERS}")
    assert axes.get_yscale() == "log"
    low, high = axes.get_ylim()
    assert 0.05 < low < table["norm_parameters_semantics"][1:].min()
    assert table["norm_parameters_semantics"].max() < high < 1
    lines = drawn(axes)
    assert np.array_equal(lines[0], table["norm_parameters_semantics"].replace(0, np.nan), equal_nan=True)
    assert np.isnan(lines[-1]).all()


@pytest.mark.full("draws a figure")
@pytest.mark.filterwarnings("error")
def test_a_training_without_any_gradient_is_drawn_too(path):
    table = history(norm_features_semantics=0.0, norm_features_height=0.0, **{COSINE: np.nan})
    figure = conflict_figure({"seed 1": table}, description(), path)
    assert "conflict:\nnothing\nmeasured" in texts(figure)
    assert "cosine, not known and not known" in read_caption(path).description

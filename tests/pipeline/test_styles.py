"""Transfer of a network from one style of generated cities to the other, where it is worth less."""

from pathlib import Path

import pytest
import yaml

from mtlaerial.config import load_dataset, merge, read_yaml
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.pipeline.score_runs import score_runs
from mtlaerial.pipeline.single_run import SingleRun, train_single
from mtlaerial.reporting.tables.constant import constant_run
from mtlaerial.reporting.tables.groups import OVERALL
from mtlaerial.scoring.metrics import height_scores, semantic_scores
from mtlaerial.scoring.scores import Scores
from mtlaerial.synthetic.city import STYLES
from mtlaerial.synthetic.generate import synthesise
from support import tiny

SPEC = tiny.CONFIG / "datasets" / "city.yaml"
Values = dict[str, float]


def values_of(scores: Scores) -> Values:
    """Return mIoU and MAE over the test tiles."""
    semantics = semantic_scores(scores.confusion(), scores.classes)
    return {"mIoU": semantics["mIoU"], "MAE": height_scores(scores.height("all")[OVERALL])["MAE"]}


@pytest.mark.full("a training of 150 updates, 50 s of CPU time")
def test_a_network_is_worse_on_the_style_that_it_has_not_seen(tmp_path: Path) -> None:
    demo = read_yaml(tiny.CONFIG / "demo.yaml")
    recipe = merge(demo, {"training": {"epochs": 3, "epoch_patches": 400, "selection": "last"}})
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    configs = [tiny.CONFIG / "config.yaml", tmp_path / "recipe.yaml"]
    for style in STYLES:
        city = Dataset("city", load_dataset(SPEC), tmp_path / style)
        synthesise(city, seed=0, size=512, ground_truth_gsd={"height": 1.0}, style=style)
    run, home = tmp_path / "run", next(iter(STYLES))
    train_single(SingleRun(SPEC, tmp_path / home, run, configs))
    values: dict[str, Values] = {}
    for style in STYLES:
        scores = score_runs([run], SPEC, tmp_path / style, tmp_path / "scores" / style)
        values[style] = values_of(scores[0])
        if style == home:
            constant = values_of(constant_run(scores))
    at_home, away = values.pop(home), values.popitem()[1]
    # Learnable: most of the way from the constant prediction.
    assert at_home["mIoU"] > constant["mIoU"] + 0.3
    assert at_home["MAE"] < 0.6 * constant["MAE"]
    # Different: clearly worse in both tasks.
    assert away["mIoU"] < at_home["mIoU"] - 0.15
    assert away["MAE"] > 1.25 * at_home["MAE"]

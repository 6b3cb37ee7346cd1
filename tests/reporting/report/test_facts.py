from mtlaerial.config import TrainingSpec
from mtlaerial.config.require import TABLES
from mtlaerial.reporting.report.facts.methods_panel import HEADER, TOTAL, methods_panel
from mtlaerial.reporting.report.facts.settings import settings_of
from mtlaerial.reporting.report.section import GROUPS
from mtlaerial.reporting.tables import collect, mean_over_seeds
from mtlaerial.reporting.tables.published import Citations
from mtlaerial.reporting.tables.values import Values
from mtlaerial.runs.cost import Cost, PredictionCost
from support.report_place import described, scores_of

TRAINING = TrainingSpec(epochs=10, epoch_patches=80, batch=8, patch=64)
"""100 updates."""


def runs_of(**trainings):
    runs = []
    for method, training in trainings.items():
        model = described(method).plan.model
        runs += [run.model_copy(update={"network": model, "training": training}) for run in scores_of(method, 1, 0.0)]
    return runs


def values_of(runs):
    return Values(runs, mean_over_seeds(collect(runs)), Citations(()))


def test_a_method_has_network_training_and_what_it_took():
    values = values_of(runs_of(joint=TRAINING))
    keys = [("town", "joint", seed) for seed in (1, 2)]
    costs = {key: Cost(seconds_per_step=36, peak_memory_mb=900 + key[2], device="CPU (2 threads)") for key in keys}
    predictions = {keys[0]: PredictionCost(seconds=6, mpixel=2, peak_memory_mb=1, device="CPU (2 threads)")}
    hours = dict.fromkeys(keys, (1.25, 0.5))
    panel = methods_panel(values, {key: described("joint") for key in keys}, costs, predictions, hours, has_folds=True)
    row, total = panel.rows
    cells = dict(zip(HEADER, row, strict=True))
    texts = {name: cell.text for name, cell in cells.items()}
    assert texts["tasks"] == "semantics and height"
    assert texts["network"] == "D3Net with encoder densenet121"
    assert float(texts["parameters (million)"]) > 1
    assert (texts["updates"], texts["batch"], texts["patch (px)"], texts["seeds"]) == ("100", "8", "64", "1, 2")
    assert (texts["h per training"], texts["memory (MB)"], texts["s per Mpixel"]) == ("1", "902", "3")
    assert texts["device"] == "CPU (2 threads)"
    assert [name for name, cell in cells.items() if cell.measured] == list(HEADER[-4:])
    assert total[0].text == TOTAL
    assert total[HEADER.index("h per training")].text == "3.5", "of all folds"
    assert panel.reading == "1 method, 2 runs, for semantics and height."


def test_a_row_from_elsewhere_has_what_its_scores_tell():
    values = values_of(runs_of(joint=TRAINING))
    (row,) = methods_panel(values, {}, {}, {}, {}).rows
    texts = dict(zip(HEADER, [cell.text for cell in row], strict=True))
    assert texts["network"] == "D3Net with encoder densenet121"
    assert texts["parameters (million)"] == "–"
    assert texts["h per training"] == "–"


def test_differences_name_the_rows_that_are_unlike_most():
    slow = TRAINING.model_copy(update={"learning_rate": 1e-5})
    settings = settings_of(values_of(runs_of(joint=TRAINING, uw=TRAINING, slow=slow)))
    (row,) = [row for row in settings.differences.rows if row[0].text == "training.learning_rate"]
    assert row[2].text == "1e-05: slow"
    assert settings.differences.reading == "Rows differ in one key; unlike most: slow."
    assert ("training.patch", "64") in settings.usual


def test_equal_rows_have_no_differences():
    settings = settings_of(values_of(runs_of(joint=TRAINING, uw=TRAINING)))
    assert settings.differences is None
    assert settings.sentence.startswith("All rows have the same settings")


def test_headings_are_those_of_the_tables_whose_names_no_data_set_may_have() -> None:
    assert [ending for ending in GROUPS if ending] == list(TABLES)

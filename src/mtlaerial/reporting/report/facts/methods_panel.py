"""Table of the methods of a data set: tasks, weighting, network and parameters, training, and what it took."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from mtlaerial.config.weighting import batches_per_update
from mtlaerial.reporting.folds import RunKey
from mtlaerial.reporting.tables.costs import Costs, training_hours
from mtlaerial.reporting.tables.panels import Cell, Note, Panel
from mtlaerial.reporting.tables.prediction_costs import PredictionCosts
from mtlaerial.reporting.tables.readings.comparisons import listed
from mtlaerial.reporting.tables.values import MISSING, Values
from mtlaerial.runs.network_text import network_name
from mtlaerial.runs.network_totals import parameters_text
from mtlaerial.runs.run import RunDescription
from mtlaerial.scoring.scores import Scores

HEADER = (
    "", "tasks", "weighting", "seeds", "network", "parameters (million)", "updates", "batch", "patch (px)", "recipe",
    "device", "h per training", "memory (MB)", "s per Mpixel",
)  # fmt: skip
TOTAL = "all trainings"
UNIT = " million parameters"
MEASURED = (
    "Hours, memory, and seconds per Mpixel of prediction: what the runs measured themselves, medians over seeds; hours "
    "from the median time of an update. They differ from run to run, and with what else the machine did."
)
FOLDS = "Of folds: the median time of one, and the largest memory."


def methods_panel(
    values: Values,
    described: Mapping[RunKey, RunDescription],
    costs: Costs,
    prediction_costs: PredictionCosts,
    hours: Mapping[RunKey, Sequence[float]],
    has_folds: bool = False,
) -> Panel:
    """Lay out the methods of a data set.

    Parameters
    ----------
    values : Values
    described : mapping of data set, method and seed to RunDescription
        Those of finished rows are not here; of these the scores have network and recipe.
    costs : Costs
    prediction_costs : PredictionCosts
    hours : mapping of data set, method and seed to sequence of float
        Of each training, of folds several, for their sum.
    has_folds : bool
        Whether a method is trained once per fold.
    """
    methods = [method for method in values.methods if values.seeds[method]]
    counts: dict[str, str] = {}
    rows, totals = [], []
    for method in methods:
        runs = [run for run in values.runs if run.method == method]
        keys = [(values.dataset, method, run.seed) for run in runs]
        description = next((described[key] for key in keys if key in described), None)
        typical = [training_hours(run, costs[key]) for run, key in zip(runs, keys, strict=True) if key in costs]
        measured = list(filter(None, typical))
        totals += [each for key in keys for each in hours.get(key, ())]
        cells = map(Cell, _facts(runs, description, counts))
        rows.append((Cell(values.label(method)), *cells, *_costs(keys, measured, costs, prediction_costs)))
    if len(totals) > 1:
        empty = [Cell("")] * (len(HEADER) - 5)
        sums = [Cell(text, measured=True) for text in ("", f"{sum(totals):.3g}", "", "")]
        rows.append((Cell(TOTAL), *empty, *sums))
    return Panel(
        key=f"{values.dataset}-methods",
        dataset=values.dataset,
        title=values.title(),
        subject="methods",
        details="",
        header=HEADER,
        rows=tuple(rows),
        notes=tuple(map(Note, (MEASURED, FOLDS) if has_folds else (MEASURED,))),
        reading=_reading(values, methods),
    )


def _reading(values: Values, methods: Sequence[str]) -> str:
    runs, tasks = len(values.runs), " and ".join(values.tasks)
    joint = [method for method in methods if len(_tasks(values, method)) > 1]
    who = "all" if len(joint) == len(methods) else listed(joint)
    learners = f"; several tasks at once: {who}" if joint and len(methods) > 1 else ""
    numbers = [
        f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in ((len(methods), "method"), (runs, "run"))
    ]
    return f"{numbers[0]}, {numbers[1]}, for {tasks}{learners}."


def _tasks(values: Values, method: str) -> tuple[str, ...]:
    return next(run.tasks for run in values.runs if run.method == method)


def _facts(runs: Sequence[Scores], description: RunDescription | None, counts: dict[str, str]) -> Iterator[str]:
    """Yield tasks, weighting, seeds, network and parameters, updates, batch, patch and recipe."""
    run = runs[0]
    yield " and ".join(run.tasks)
    yield run.weighting
    yield ", ".join(str(each.seed) for each in runs)
    yield from _network(run, description, counts)
    training = run.training
    if training is None:
        yield from (MISSING,) * 3
    else:
        yield " or ".join(dict.fromkeys(f"{each.updates:,}" for each in runs if each.updates is not None))
        batches = batches_per_update(run.weighting) or 1
        yield f"{batches} × {training.batch}" if batches > 1 else str(training.batch)
        yield str(training.patch)
    yield run.recipe or (description.recipe_text if description else "") or MISSING


def _network(run: Scores, description: RunDescription | None, counts: dict[str, str]) -> tuple[str, str]:
    """Return the network's name and its parameters; those of equal networks are counted once."""
    if description is None:
        return (network_name(run.network) if run.network else MISSING), MISSING
    networks = [network.plan.model for network in description.networks]
    names = dict.fromkeys(network_name(model) for model in networks)
    several = f"{len(networks)} networks: " if len(networks) > 1 else ""
    key = repr([(model.model_dump(), each.outputs) for model, each in zip(networks, description.networks, strict=True)])
    if key not in counts:
        text = parameters_text(description)
        counts[key] = text.removesuffix(UNIT) if text.endswith(UNIT) else text
    return several + " and ".join(names), counts[key]


def _costs(
    keys: Sequence[RunKey], hours: Sequence[float], costs: Costs, prediction_costs: PredictionCosts
) -> Iterator[Cell]:
    """Yield device, hours and memory of a training, and the time of a prediction, as measured cells."""
    trainings = [costs[key] for key in keys if key in costs]
    predictions = [prediction_costs[key] for key in keys if key in prediction_costs]
    devices = dict.fromkeys([*(cost.device for cost in trainings), *(cost.device for cost in predictions)])
    texts = [
        " and ".join(devices),
        f"{median(hours):.3g}" if hours else "",
        f"{median(cost.peak_memory_mb for cost in trainings):.0f}" if trainings else "",
        f"{median(cost.seconds_per_mpixel for cost in predictions):.3g}" if predictions else "",
    ]
    yield from (Cell(text or MISSING, measured=True) for text in texts)

"""Description of a trained run as text for people."""

from pathlib import Path

from mtlaerial.config import task_entry
from mtlaerial.config.class_names import untrained_classes
from mtlaerial.config.height_head import BinsSpec
from mtlaerial.config.prediction import views_text
from mtlaerial.config.tasks import leads, registry_order, tasks_with
from mtlaerial.datasets.check.findings import percent
from mtlaerial.runs.calibration_file import calibration_text
from mtlaerial.runs.imported import NOT_KNOWN, Original
from mtlaerial.runs.network_text import network_name, network_text
from mtlaerial.runs.network_totals import parameters_text, training_seconds
from mtlaerial.runs.run import RunDescription, load_description


def describe_run(folder: Path) -> str:
    """Return a text on a trained run: its training, its network, its classes, and the images that it accepts."""
    run = load_description(folder)
    identity = _ensemble(folder, run) if run.members else _identity(run)
    lines = [*identity, *_input(run), *_output(run), ("calibration", calibration_text(folder, run))]
    width = max(len(key) for key, _ in lines)
    return "\n".join(f"{key:<{width}}  {value}" for key, value in lines)


def describe_import(folder: Path) -> list[str]:
    """Return sentences on what the import of a checkpoint concluded: what the file says, heights, classes."""
    run = load_description(folder)
    original = run.original or Original()
    lines = [f"The file says: {original.text}. How it was trained is not known beyond that."]
    for task in tasks_with("heights", run.plan.tasks):
        unit = run.plan.training.height_unit
        lines.append(f"{task_entry(task).map_name}.tif: metres, {unit:g} per unit of the file's output.")
    for task in tasks_with("classes", run.plan.tasks):
        pairs = zip(run.statistics.classes, original.channels, strict=True)
        classes = [f"{index} {entry.name} (channel {channel})" for index, (entry, channel) in enumerate(pairs)]
        rule = "class indices; in brackets the file's channel, which is the original's code of the class"
        lines.append(f"{task_entry(task).map_name}.tif: {rule}: {', '.join(classes)}.")
    return lines


def _identity(run: RunDescription) -> list[tuple[str, str]]:
    plan, statistics = run.plan, run.statistics
    generated = " (generated data)" if statistics.generated else ""
    if run.imported:
        return [
            ("run", f"imported from {run.imported}"),
            ("the file says", run.original.text if run.original else NOT_KNOWN),
            ("network", network_text(run)),
            ("training", "not known: neither seed nor weighting nor recipe nor tiles"),
            ("trained on", f"{statistics.title}{generated}, as was said when it was imported"),
            ("licence", statistics.licence),
            ("mtlaerial", f"{run.mtlaerial}, code {run.code}"),
            ("weights", f"SHA-256 {run.sha256[:12]}…"),
        ]
    return [
        ("run", f"{plan.method}, seed {plan.seed}, weights of epoch {_epoch(run)}"),
        ("trained on", f"{statistics.title}{generated}, {len(statistics.tiles)} tiles"),
        *([("truth used", run.labelled.text)] if run.labelled else []),
        ("validated on", _validation(run)),
        ("licence", statistics.licence),
        ("network", network_text(run)),
        ("initial weights", _start(run)),
        ("ground seen", _ground(run)),
        *([("budget", run.budget.text)] if run.budget else []),
        *_recipe(run),
        ("weighting", plan.weighting.name),
        ("mtlaerial", f"{run.mtlaerial}, code {run.code}"),
        ("weights", f"SHA-256 {run.sha256[:12]}…"),
    ]


def _ensemble(folder: Path, run: RunDescription) -> list[tuple[str, str]]:
    """Return the lines on an ensemble: its members, their licences, their size and training time in all."""
    lines = [("ensemble", f"{run.plan.method}, {_average(run)} {len(run.members)} networks, read and blended as one")]
    for path, member in run.members.items():
        network, tasks = network_name(member.plan.model), " and ".join(member.plan.tasks)
        lines.append(("member", f"{path}: {member.name}, {network}, {tasks}, SHA-256 {member.sha256[:12]}…"))
        if member.budget:
            lines.append(("budget", member.budget.text))
    seconds = training_seconds(folder, run)
    time = "" if seconds is None else f"; trained in {seconds / 3600:.2g} h in all"
    generated = " (generated data)" if run.statistics.generated else ""
    origins = dict.fromkeys(_start(member) for member in run.networks)
    return [
        *lines,
        ("size", f"{parameters_text(run)}, all in memory at once{time}"),
        ("trained on", f"{run.statistics.title}{generated}"),
        ("licence", run.statistics.licence),
        ("initial weights", "; ".join(origins)),
        *_recipe(run),
        ("mtlaerial", f"{run.mtlaerial}, code {run.code}"),
    ]


def _average(run: RunDescription) -> str:
    if run.heights == "mean":
        return "the mean of"
    scores = "the mean of the class scores and " if tasks_with("classes", run.plan.tasks) else ""
    return f"{scores}the {run.heights} of the heights of"


def _recipe(run: RunDescription) -> list[tuple[str, str]]:
    return [("recipe", run.recipe_text)] if run.recipe_text else []


def _epoch(run: RunDescription) -> str:
    epochs = run.plan.training.epochs
    early = f" (ended early, after {run.ended_early})" if run.ended_early else ""
    averaged = f", averaged (ema {run.plan.training.ema:g})" if run.plan.training.ema else ""
    return f"{run.epoch} of {epochs}{early}{averaged}"


def _start(run: RunDescription) -> str:
    if run.start:
        return run.start.text
    start = run.plan.model.start
    return f"{start.source}, of which an earlier version recorded no origin" if start else "random"


def _ground(run: RunDescription) -> str:
    """Return the ground of the run's training tiles, that of the runs that it began with, and the notes on it."""
    text, start = run.ground.text if run.ground else NOT_KNOWN, run.start
    while start:
        text += f"; of {start.name}: {start.ground.text if start.ground else NOT_KNOWN}"
        start = start.start
    return ". ".join([text, *run.ground_notes])


def _validation(run: RunDescription) -> str:
    if run.validation is None:
        return "tiles that an earlier version did not record"
    if not run.validation:
        return "no tiles"
    tiles = "1 tile" if len(run.validation) == 1 else f"{len(run.validation)} tiles"
    use = "which chose the weights" if run.plan.training.selection == "best" else "with the weights of the last epoch"
    return f"{tiles}, {use}"


def _input(run: RunDescription) -> list[tuple[str, str]]:
    statistics = run.statistics
    low, high = statistics.range
    nodata = "" if statistics.nodata is None else f"; {statistics.nodata:g} in all bands is no image"
    names = ", ".join(band.name for band in statistics.bands)
    indices = ", ".join(str(band.index) for band in statistics.bands)
    lines = [
        ("bands", f"{names} ({indices} of the files)"),
        ("values", f"{statistics.dtype}, {low:g} to {high:g}{nodata}"),
        ("pixel size", f"{statistics.gsd:g} m"),
    ]
    if statistics.without_image is not None:
        lines.append(("without image", f"{percent(statistics.without_image)} of the training pixels"))
    return lines


def _classes(run: RunDescription) -> list[str]:
    """Return each class with its code in maps, and whether it was trained."""
    networks = [network for network in run.networks if tasks_with("classes", network.plan.tasks)]
    names = [() if network.imported else untrained_classes(network.plan.training) for network in networks]
    untrained = [name for name in names[0] if all(name in others for others in names)]
    classes = []
    for code, entry in enumerate(run.statistics.classes):
        classes.append(f"{code} {entry.name}" + (" (never trained)" if entry.name in untrained else ""))
    return classes


def _output(run: RunDescription) -> list[tuple[str, str]]:
    prediction = run.plan.prediction
    views = f", views {views_text(prediction.views)}" if prediction.views else ""
    windows = f"{prediction.blend}, {prediction.window} pixels every {prediction.stride}{views}, as scored"
    lines = [("windows", windows)]
    for task in sorted(run.plan.tasks, key=registry_order):
        entry = task_entry(task)
        key = entry.title if leads(task) else task
        if entry.output == "classes":
            lines += _class_lines(run, key)
        else:
            lines.append((key, f"{entry.meaning}{_height_head(run)}{_training_range(run)}"))
    return lines


def _class_lines(run: RunDescription, key: str) -> list[tuple[str, str]]:
    lines = [(key, ", ".join(_classes(run)))]
    if run.original and run.original.channels:
        channels = ", ".join(map(str, run.original.channels))
        lines.append(("channels", f"{channels} of the file, the original's codes"))
    return lines


def _height_head(run: RunDescription) -> str:
    """Return the height head in words; empty for the linear one, and for an ensemble, whose members have their own."""
    training = run.plan.training
    head = training.height_head
    if run.members:
        return ""
    if isinstance(head, BinsSpec):
        return f"; {run.plan.prediction.height_of_bins} of {head.count} bins, 0 to {head.largest:g} m"
    words = "" if head == "linear" else f"; height head {head}"
    return f"{words}; never negative" if training.height_non_negative else words


def _training_range(run: RunDescription) -> str:
    height = run.statistics.height
    return f"; {height.minimum:.1f} to {height.maximum:.1f} m in training" if height else ""

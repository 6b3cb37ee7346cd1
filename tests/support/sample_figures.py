"""Helpers for tests of figures: the description of a run, and the texts of a figure."""

from matplotlib.figure import Figure

from mtlaerial.config import D3NetSpec, TrainingSpec, WeightingSpec
from mtlaerial.runs.plan import RunPlan
from mtlaerial.runs.run import RunDescription
from mtlaerial.tiles.statistics import BandStatistics, ClassStatistics, Statistics


def description(
    tasks=("semantics", "height"), generated=False, weighting="equal", epoch=1, selection="last"
) -> RunDescription:
    statistics = Statistics(
        dataset="town", title="Small town", generated=generated, licence="CC0", citation="", gsd=0.5, dtype="uint8",
        range=(0, 255), bands=[
            BandStatistics(name=name, index=index, mean=100, std=50)
            for index, name in enumerate(("red", "green", "blue"), start=1)
        ],
        classes=[ClassStatistics(name="road", colour=(90, 90, 90), pixels=10),
                 ClassStatistics(name="house", colour=(200, 0, 0), pixels=20)],
        height=None, zero_height=True, tiles={},
    )  # fmt: skip
    plan = RunPlan(dataset="town", method="joint", seed=3, tasks=tasks, weighting=WeightingSpec(name=weighting),
                   model=D3NetSpec(),
                   training=TrainingSpec(selection=selection))  # fmt: skip
    return RunDescription(mtlaerial="0.1.0", code="abc", sha256="", plan=plan, statistics=statistics, epoch=epoch)


def texts(figure: Figure) -> str:
    words = [text.get_text() for axes in figure.axes for text in axes.texts]
    legends = [axes.get_legend() for axes in figure.axes] + list(figure.legends)
    words += [text.get_text() for legend in legends if legend for text in legend.get_texts()]
    inset = [child for axes in figure.axes for child in axes.child_axes]
    words += [axes.get_xlabel() for axes in (*figure.axes, *inset)]
    words += [axes.get_ylabel() for axes in figure.axes]
    return "\n".join([*words, figure.get_suptitle()])

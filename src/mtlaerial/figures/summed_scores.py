"""Figures of a method's scores on a data set, summed over test tiles and seeds."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtlaerial.config.tasks import leads
from mtlaerial.figures.style import Caption, named, save
from mtlaerial.scoring.scores import Scores


class SummedFigure(NamedTuple):
    """The texts and the size of a figure of summed scores."""

    subject: str
    """Subject of its heading, such as ``confusion``."""
    description: str
    """Beginning of its description, which goes on with ``over test tiles and 3 seeds.``"""
    absence: str
    """Sentence in place of the picture, where there is nothing to draw."""
    size: tuple[float, float]
    """Width and height in inches."""

    def draw(self, scores: Sequence[Scores], path: Path, draw: Callable[[Axes], None] | None) -> Figure:
        """Draw the figure and write it.

        Parameters
        ----------
        scores : sequence of Scores
            Scores of the seeds of one method on one data set; at least one.
        path : Path
            The PNG to write.
        draw : callable or None
            Draws the picture into axes; None where there is nothing to draw.
        """
        run = scores[0]
        seeds = "one seed" if len(scores) == 1 else f"{len(scores)} seeds"
        further = "".join(f", {task}" for task in run.tasks if run.tasks == (task,) and not leads(task))
        heading = f"{named(run.title, run.generated)}: {self.subject} of {run.method}{further}"
        figure = Figure(figsize=self.size, layout="compressed")
        axes = figure.subplots()
        if draw:
            draw(axes)
        else:
            axes.set_axis_off()
            axes.text(0.5, 0.5, self.absence, ha="center", transform=axes.transAxes)
        axes.set_title(f"summed over test tiles and {seeds}", fontsize=10)
        figure.suptitle(heading, fontsize=12)
        text = f"{self.description} over test tiles and {seeds}."
        return save(figure, path, Caption(dataset=run.dataset, title=heading, description=text))

"""Views of a prediction that a training did not see."""

from collections.abc import Iterator, Sequence

from mtlaerial.config.augmentation import Augmentation
from mtlaerial.config.prediction import SCALES, View


def unseen_views(views: Sequence[View], augmentation: Augmentation) -> list[str]:
    """Return the views that a training with some augmentation did not see, each with the key that says so.

    Examples
    --------
    >>> unseen_views(["mirror", "turns"], Augmentation(flip=True))
    ['turns (training.augmentation.quarter_turns is false)']
    """
    reasons = dict(_reasons(augmentation))
    return [f"{view} (training.augmentation.{reasons[view]})" for view in views if view in reasons]


def _reasons(augmentation: Augmentation) -> Iterator[tuple[View, str]]:
    """Yield each view that is unseen, and what its key of the augmentation is."""
    if not augmentation.flip:
        yield "mirror", "flip is false"
    if not augmentation.quarter_turns:
        yield "turns", "quarter_turns is false"
    # A patch is scaled by factors from 1 / (1 + zoom) to 1 + zoom.
    if 1 + augmentation.zoom < max(SCALES):
        yield "scales", f"zoom is {augmentation.zoom:g}, below {max(SCALES) - 1:g}"

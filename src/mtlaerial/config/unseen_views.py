"""Views of a prediction that a training did not see."""

from collections.abc import Iterable, Iterator, Sequence

from mtlaerial.config.augmentation import Augmentation
from mtlaerial.config.prediction import SCALES, View


def unseen_notes(views: Iterable[tuple[str, Sequence[str]]]) -> list[str]:
    """Return a sentence on each list of unseen views, for logs and tables.

    Parameters
    ----------
    views : iterable of tuple
        A method, and the views that it predicts with and a training of its networks did not see.

    Examples
    --------
    >>> unseen_notes([("a", ["turns (…)"]), ("b", []), ("c", ["turns (…)"])])
    ['Predicted with views that the training did not see: turns (…), of a, c; maps may be worse than without.']
    """
    methods_by_views: dict[str, dict[str, None]] = {}
    for method, unseen in views:
        if unseen:
            methods_by_views.setdefault(", ".join(dict.fromkeys(unseen)), {})[method] = None
    return [
        f"Predicted with views that the training did not see: {text}, of {', '.join(methods)}; "
        "maps may be worse than without."
        for text, methods in methods_by_views.items()
    ]


def unseen_views(views: Sequence[View], augmentation: Augmentation | None) -> list[str]:
    """Return the views that a training with some augmentation did not see, each with the key that says so.

    Parameters
    ----------
    views : sequence of View
    augmentation : Augmentation, optional
        None of a training that is not known, which may not have seen any.

    Examples
    --------
    >>> unseen_views(["mirror", "turns"], Augmentation(flip=True))
    ['turns (training.augmentation.quarter_turns is false)']
    """
    if augmentation is None:
        return [f"{view} (perhaps: its training is not known)" for view in views]
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

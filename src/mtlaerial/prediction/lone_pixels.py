"""Report of the pixels of an image whose deviation by overlap is not known."""

import logging
from pathlib import Path

from mtlaerial.datasets.check.findings import percent
from mtlaerial.prediction.blending.lone_windows import share_of_lone_pixels
from mtlaerial.prediction.blending.windows import Axis

log = logging.getLogger(__name__)
MOST = 0.5
"""Share of pixels without a deviation from which on it is a warning."""


def report_lone_pixels(path: Path, down: Axis, across: Axis) -> None:
    """Log the share of an image's pixels that one window alone decides, and warn where that is half of them."""
    share = share_of_lone_pixels(down, across)
    if not share:
        return
    fault = f"{path}: {percent(share)} of the pixels have no deviation by overlap, as one window alone decides there"
    if share < MOST:
        log.info("%s", fault)
    else:
        log.warning("%s. Predict with a smaller stride or window, or leave overlap out of the spread.", fault)

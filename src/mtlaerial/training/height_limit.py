"""Heights of the training tiles that are beyond the bins of the height head."""

import logging

from mtlaerial.config.height_head import BinsSpec
from mtlaerial.config.tasks import tasks_with
from mtlaerial.runs.plan import RunPlan
from mtlaerial.tiles.statistics import Statistics

log = logging.getLogger(__name__)


def warn_of_taller(plan: RunPlan, statistics: Statistics) -> None:
    """Warn where training tiles have heights above the last bin, which no map will show."""
    head, height = plan.training.height_head, statistics.height
    if not isinstance(head, BinsSpec) or height is None or not tasks_with("heights", plan.tasks):
        return
    if height.maximum > head.largest:
        log.warning(
            "training.height_head.largest is %g m, and the training tiles have heights up to %g m: "
            "they are trained as %g m, and no map shows more",
            *(head.largest, height.maximum, head.largest),
        )

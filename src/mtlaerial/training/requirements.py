"""Options that a training would refuse at its start, refused before its data are prepared."""

import torch

from mtlaerial.config.encoder import ENCODERS, NETWORKS
from mtlaerial.config.labelled import patches_per_layer
from mtlaerial.models import build_model
from mtlaerial.runs.plan import RunPlan, output_channels
from mtlaerial.training.fabric import require_gpus
from mtlaerial.weighting import build_weighting


def require_trainable(plan: RunPlan, bands: int, classes: int) -> None:
    """Refuse a plan whose weighting, device, batch or network this machine cannot train with.

    Parameters
    ----------
    plan : RunPlan
    bands, classes : int
        Bands of the image, and classes of the labels.

    Raises
    ------
    ConfigError
        For wrong options of the weighting, a batch with too few patches, or a network that cannot be built.
    TrainingError
        When a GPU is requested and torch sees none.
    """
    build_weighting(plan.weighting, plan.tasks)
    patches_per_layer(plan.training.truth_patches, plan.training.batch, plan.tasks)
    require_gpus(plan.training)
    encoder = getattr(plan.model, "encoder", None)
    # What other packages build may need real memory, which takes too long here.
    if plan.model.name in NETWORKS.builtin and (encoder is None or encoder.name in ENCODERS.builtin):
        with torch.device("meta"):
            build_model(plan.model, bands, output_channels(plan, classes))

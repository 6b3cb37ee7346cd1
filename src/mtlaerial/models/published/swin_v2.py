"""Weights of Swin V2: torchvision's of ImageNet, unless ``pretrained.NAME.input`` says what others expect."""

from mtlaerial.config.sources import WeightsInput
from mtlaerial.models.encoders.swin_v2_names import (
    BANDS,
    IMAGENET_DEVIATION,
    IMAGENET_MEAN,
    convert_b,
    convert_s,
    convert_t,
)
from mtlaerial.models.published.form import PublishedForm

INPUT = WeightsInput(bands=BANDS, mean=IMAGENET_MEAN, deviation=IMAGENET_DEVIATION)
TINY = PublishedForm(convert_t, INPUT)
SMALL = PublishedForm(convert_s, INPUT)
BASE = PublishedForm(convert_b, INPUT)

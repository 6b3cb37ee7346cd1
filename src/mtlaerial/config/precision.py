"""Precisions of a network's arithmetic, by Fabric's names."""

from typing import Literal

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]

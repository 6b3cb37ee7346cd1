"""Measured costs of a training step and of a window, as docs/benchmarks.md has them, for estimates of whole jobs."""

from mtlaerial.config import Task

SUSTAINED = 10e12
"""Operations a second of the estimate."""
STEP_RATIOS = {
    "equal": 1.0,
    "feature_normalisation": 1.13,
    "mgda": 1.20,
    "mgda_ub": 1.04,
    "gradnorm": 1.06,
    "gradient_penalty": 8.4,
}
"""Measured time of a step, relative to ``equal``, by weighting."""
MEMORY_RATIOS = {"gradient_penalty": 2.78}
"""Measured peak memory of a step, relative to ``equal``, where it differs."""
STEP, WINDOW, PEAK = 0.0491, 16.9 / 841, 4.466e9
"""Measured on an H200 with both tasks in float32: seconds of a step of six patches of 320 pixels, seconds of a window
of 1,024 pixels, peak bytes of that step."""
MEASURED: tuple[tuple[Task, int], ...] = (("semantics", 20), ("height", 1))
"""Outputs of the network that was measured."""

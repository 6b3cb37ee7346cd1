"""OpenVINO in a process that is asked to end."""

import signal
import subprocess
import sys

import pytest

from support.paths import environment

ENDED = 7
SIGNALLED = f"""\
import gc, os, signal, sys
from mtlaerial.models import build_model
from mtlaerial.prediction.engines.openvino_engine import OpenVINOEngine
from support import tiny

network = build_model(tiny.model_spec(), 3, {{"semantics": 6, "height": 1}}).eval()
engines = [OpenVINOEngine(network, "32-true", 1) for _ in range(2)]
for engine in engines:
    engine._core.get_property("CPU", "FULL_DEVICE_NAME")  # loads the plug-in, as compiling does
del engine
while engines:
    engines.pop(0)
    gc.collect()
signal.signal(int(sys.argv[1]), lambda *_: os._exit({ENDED}))
signal.raise_signal(int(sys.argv[1]))
"""
"""Cores of OpenVINO that end in another order than they began would leave handlers of signals without a stack."""


@pytest.mark.full("a process that imports torch and OpenVINO")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_reach_their_handlers_when_engines_have_ended(number: signal.Signals) -> None:
    pytest.importorskip("openvino")
    command = [sys.executable, "-c", SIGNALLED, str(int(number))]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == ENDED, (done.returncode, done.stderr)

"""Environments without torch: test modules that import it are left out, and so are tests whose fixtures need it."""

from importlib.util import find_spec

import pytest

TORCH = find_spec("torch") is not None
MISSING = "No module named 'torch'"
REASON = "no package torch"
needs_torch = pytest.mark.skipif(not TORCH, reason=REASON)
"""Mark of tests that use torch themselves, or start a process that does."""


def left_out(report: pytest.CollectReport, path: str) -> pytest.CollectReport:
    """Return the report of a module's collection, as skipped if the module was not imported for want of torch."""
    if not TORCH and report.failed and MISSING in str(report.longrepr):
        report.outcome, report.longrepr = "skipped", (path, 0, REASON)
    return report


def require_torch() -> None:
    """Skip a test where torch is not installed."""
    if not TORCH:
        pytest.skip(REASON)

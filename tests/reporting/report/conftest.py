"""A report of some scores."""

import pytest

from mtlaerial.reporting.report import ReportInputs, write_report
from support.report_place import specification


@pytest.fixture
def page(tmp_path):
    def write_page(scores, figures=(), checks=(), costs=None, **changes):
        path = tmp_path / "report.html"
        write_report(ReportInputs(scores, {"town": specification(**changes)}, figures, checks, costs=costs or {}), path)
        return path.read_text(encoding="utf-8")

    return write_page

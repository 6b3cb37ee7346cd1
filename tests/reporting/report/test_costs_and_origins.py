"""Costs, budgets, origins of weights, and the command in the report."""

import re

from mtlaerial.reporting.report import ReportInputs, write_report
from mtlaerial.reporting.trainings import TrainingFacts
from mtlaerial.runs.cost import Cost
from support.report_place import specification
from support.sample_scores import experiment

MEASURED = re.compile(r'<td class="measured">.*?</td>')


def test_costs_are_in_cells_that_a_comparison_can_leave_out(page):
    runs = [*experiment(), *(entry.model_copy(update={"method": "other"}) for entry in experiment()[-2:])]

    def written(seconds):
        costs = {
            ("town", method, 1): Cost(seconds_per_step=value, peak_memory_mb=value, device="cpu")
            for method, value in (("joint", 1.0), ("other", seconds))
        }
        return page(runs, costs=costs)

    first, second = written(1.25), written(1.5)
    assert '<td class="measured">1.25</td>' in first
    assert first != second
    assert MEASURED.sub("", first) == MEASURED.sub("", second)
    assert '<td class="measured">1' not in page(runs)


def test_page_has_the_budgets_of_trainings(tmp_path):
    path = tmp_path / "report.html"
    facts = {
        "town": TrainingFacts(budgets=["equal: 10 core-minutes: 812 updates", "height: 10 core-minutes: 700 updates"])
    }
    write_report(ReportInputs(experiment(), {"town": specification()}, trainings=facts), path)
    text = path.read_text(encoding="utf-8")
    assert text.count("Budgets") == 1
    assert "<td>height: 10 core-minutes: 700 updates</td>" in text


def test_page_has_origin_and_licence_of_initial_weights(tmp_path):
    path = tmp_path / "report.html"
    facts = {
        "town": TrainingFacts(starts=["lite0 (encoder), licence Apache-2.0", "dense (encoder), licence BSD & more"])
    }
    write_report(ReportInputs(experiment(), {"town": specification()}, trainings=facts), path)
    text = path.read_text(encoding="utf-8")
    assert text.count("Initial weights") == 1
    assert "<td>lite0 (encoder), licence Apache-2.0</td>" in text
    assert "<td>dense (encoder), licence BSD &amp; more</td>" in text


def test_command_is_escaped_and_in_a_measured_cell(tmp_path):
    def written(command):
        write_report(ReportInputs(experiment(), {"town": specification()}, command=command), tmp_path / "report.html")
        return (tmp_path / "report.html").read_text(encoding="utf-8")

    first, second = written("snakemake --cores 2"), written("snakemake & <more>")
    assert "<code>snakemake &amp; &lt;more&gt;</code>" in second
    assert first != second
    assert MEASURED.sub("", first) == MEASURED.sub("", second)

"""Messages of the workflow's errors, and the descriptions of its rules."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.paths import ROOT
from support.workplace import TINY, Workplace

pytestmark = pytest.mark.workflow
RULES = [
    pytest.param(match[3], id=match[2])
    for path in sorted((ROOT / "workflow/rules").glob("*.smk"))
    for match in re.finditer(r"^( *)rule (\w+):\n((?:(?:\1 {4,}.*)?\n)+)", path.read_text(), re.MULTILINE)
]


def test_rules_are_found() -> None:
    assert len(RULES) >= 12


@pytest.mark.parametrize("body", RULES)
def test_rule_is_complete(body: str) -> None:
    for directive in ("log", "benchmark", "threads", "resources", "message", "script", "output"):
        assert re.search(rf"^ +{directive}:", body, re.MULTILINE), directive
    for resource in ("gpu", "mem_mb", "runtime"):
        assert f"{resource}=" in body, resource


def test_scripts_are_named_like_rules() -> None:
    scripts = {path.stem for path in (ROOT / "workflow/scripts").glob("*.py")} - {"common"}
    assert scripts == {rule.id for rule in RULES}


LIKE_A_KEY = pytest.mark.full("the same way as an unknown key; messages are tested in tests/config")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            {"training": {"learnin_rate": 1}},
            ("training.learnin_rate: found an unknown key", "Did you mean learning_rate?"),
        ),
        pytest.param(
            {"methods": {"equal": {"weighting": {"name": "magic"}}}},
            ("methods.equal.weighting.name", "'magic'", "one of aligned_mtl"),
            marks=LIKE_A_KEY,
        ),
        pytest.param(
            {"methods": {"equal": {"weighting": {"name": "cagrad", "radius": 1}}}},
            ("methods.equal: weighting cagrad, key radius: found an unknown key",),
            marks=LIKE_A_KEY,
        ),
        pytest.param({"run": {"seeds": [-1]}}, ("run.seeds.0", "a number of at least 0"), marks=LIKE_A_KEY),
        pytest.param(
            {"datasets": {"city": {"spec": "config/datasets/citi.yaml"}}},
            ("config/datasets/citi.yaml", "no such file"),
            marks=LIKE_A_KEY,
        ),
    ],
)
def test_wrong_configuration(config: dict[str, Any], words: tuple[str, ...], tmp_path: Path) -> None:
    run = Workplace(tmp_path / "place").run("--dry-run", config=config)
    assert run.returncode == 1
    for word in words:
        assert word in run.stdout
    assert "Traceback" not in run.stdout


def test_a_key_twice_in_an_overlay_ends_the_workflow(tmp_path: Path) -> None:
    """Snakemake's own reader would take the last value."""
    overlay = tmp_path / "overlay.yaml"
    lines = TINY.read_text().splitlines()
    overlay.write_text("\n".join([*lines, "results: elsewhere"]))
    run = Workplace(tmp_path / "place", overlay).run("--dry-run")
    assert run.returncode == 1
    assert f"overlay.yaml, key results: found the key twice (lines 7 and {len(lines) + 1})" in run.stdout


def test_methods_are_planned_for_the_data_sets_with_their_ground_truth(tmp_path: Path) -> None:
    """A data set of heights alone, and one with methods of its own."""
    place = Workplace(tmp_path / "place")
    heights = {**yaml.safe_load(place.spec.read_text()), "labels": None}
    (place.folder / "config/datasets/heights.yaml").write_text(yaml.safe_dump(heights))
    hilly = {"spec": "config/datasets/heights.yaml", "root": "datasets/hilly", "generate": {"size": 64}}
    run = {"datasets": ["city", "hilly"], "methods": ["semantics", "height", "equal"]}
    methods = {name: {"model": "tiny"} for name in run["methods"]}
    config = {"run": run, "datasets": {"hilly": hilly, "city": {"methods": ["equal"]}}, "methods": methods}
    seed = ["--config", 'run={"seeds": [3]}']  # whose numbers Snakemake gives as texts
    dry = place.run("--dry-run", "--nolock", *seed, config=config)
    assert dry.returncode == 0, dry.stdout
    trainings = re.findall(r"^Job \d+: Training (\w+) on (\w+), seed 3$", dry.stdout, re.MULTILINE)
    assert sorted(trainings) == [("equal", "city"), ("height", "hilly")]
    assert dry.stdout.splitlines()[-4:] == [
        "Summary",
        "  trainings 2 waiting; to be trained: 2",
        "  data      generated: city, hilly",
        "  time      not known before a seed of each method has been trained",
    ]
    assert not re.search("^Reason: ", dry.stdout, re.MULTILINE)  # which would list every input file of a job
    assert dry.stdout.count("Left out, as hilly has no ground truth of semantics: semantics.") == 1
    assert dry.stdout.count("as hilly has no ground truth of semantics and it would repeat height: equal.") == 1


def test_missing_data(tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("results: results\n")
    run = Workplace(tmp_path / "place", overlay).run("--dry-run")
    assert run.returncode == 1
    for words in ("required files are missing", "Final RGB HR Imagery/", "Where to get it", "datasets.vaihingen.root"):
        assert words in run.stdout
    assert "Traceback" not in run.stdout
    assert re.search(r"\nSummary\n  trainings .*\n  data      dfc2018 lacks \d+ files; vaihingen lacks", run.stdout)


@pytest.mark.slow("a real job")
def test_failed_job(finished: Workplace, tmp_path: Path) -> None:
    """The sentence is near the end of Snakemake's output, and no partial file is left."""
    place = finished.copy(tmp_path / "place")
    image = place.folder / "datasets/town/images/city_2.tif"
    image.write_bytes(image.read_bytes()[:-2000])
    run = place.run()
    assert run.returncode == 1
    assert "city_2.tif" in run.stdout
    assert "truncated or damaged" in "\n".join(run.stdout.splitlines()[-60:])
    assert "Traceback" not in run.stdout
    assert not (place.folder / "results/town/checks/city_2.json").exists()


@pytest.mark.full("make lint has it, in the repository")
@pytest.mark.parametrize("overlay", [[], ["--configfile", "config/config.yaml", str(TINY)]])
def test_lint(overlay: list[str], tmp_path: Path) -> None:
    place = Workplace(tmp_path / "place")
    command = ["snakemake", "--cores", "1", "--lint", *overlay]
    lint = subprocess.run(command, cwd=place.folder, capture_output=True, text=True, check=False)
    assert lint.returncode == 0, lint.stdout + lint.stderr


def test_snakemake_report(finished: Workplace, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    run = finished.run("--report", str(page))
    assert run.returncode == 0, run.stdout
    assert page.stat().st_size > 10_000


@pytest.mark.full("reads the logs of a finished workflow")
def test_logs_of_figures_have_no_lines_on_their_fonts(finished: Workplace) -> None:
    logs = [path.read_text() for path in finished.folder.glob("results/logs/*/*figure*") if path.is_file()]
    logs += [path.read_text() for path in finished.folder.glob("results/logs/*/figures/**/*.log")]
    assert logs
    assert not [line for log in logs for line in log.splitlines() if re.search("glyph|subset|pruned", line)]

"""Scripts of rules: they read the declared input files and params, and no configuration."""

import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from mtlaerial.config.stages import Stage
from mtlaerial.pipeline.context_params import Context
from mtlaerial.pipeline.decisive_params import Decisive
from support.workplace import ROOT

SCRIPTS = {path.stem: path.read_text() for path in (ROOT / "workflow/scripts").glob("*.py") if path.stem != "common"}
RULES = {
    match[1]: match[2]
    for path in (ROOT / "workflow/rules").glob("*.smk")
    for match in re.finditer(r"^ *rule (\w+):\n((?:(?: {4,}.*)?\n)+)", path.read_text(), re.MULTILINE)
}


@pytest.mark.parametrize("rule", RULES)
def test_rule_declares_its_stage_s_params(rule: str) -> None:
    for name, source in (("decisive", Decisive), ("context", Context)):
        declared = re.findall(rf"^ +{name}=(.*),$", RULES[rule], re.MULTILINE)
        assert declared == ([f'{name}_params("{rule}")'] if hasattr(source, rule) else [])
        assert f"params.{name}" not in SCRIPTS[rule] or declared


def test_every_stage_is_a_rule_with_decisive_params() -> None:
    assert set(get_args(Stage)) == {rule for rule in RULES if hasattr(Decisive, rule)}


@pytest.mark.parametrize("rule", RULES)
def test_script_reads_no_configuration(rule: str) -> None:
    assert "with logged(snakemake):" in SCRIPTS[rule]
    assert ".config" not in SCRIPTS[rule].replace("mtlaerial.config", "")


@pytest.mark.parametrize(
    "read", ["config['training']", "config.get('training')", "list(config)", "'training' in config"]
)
def test_script_that_reads_the_configuration_fails(read: str, tmp_path: Path) -> None:
    code = f"""
import sys
from types import SimpleNamespace

sys.path.insert(0, {str(ROOT / "workflow/scripts")!r})
from common import logged

snakemake = SimpleNamespace(log=["log"], config={{"training": {{}}}})
with logged(snakemake):
    config = snakemake.config
    {read}
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert line.startswith("snakemake.config: found a script that reads ")
    assert line.endswith("Pass the value as params of the rule.")
    assert line in (tmp_path / "log").read_text()

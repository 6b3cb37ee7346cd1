"""The example of docs/own-data.md works in its own next steps: generate files in its layout, and check them."""

import re
from pathlib import Path

from typer.testing import CliRunner

from mtlaerial.cli import app

PAGE = Path(__file__).parents[1] / "docs" / "own-data.md"


def test_the_example_is_generated_and_checked(tmp_path: Path) -> None:
    example = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    spec, root = tmp_path / "my_town.yaml", tmp_path / "my_town"
    spec.write_text(example, encoding="utf-8")
    program = CliRunner()
    generated = program.invoke(app, ["synthesise", str(spec), "--out", str(root), "--size", "128"])
    assert generated.exit_code == 0, generated.exception
    checked = program.invoke(app, ["check", str(spec), "--root", str(root)])
    assert checked.exit_code == 0
    assert "no errors, no warnings" in checked.output

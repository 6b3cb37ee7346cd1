"""Options of ``mtlaerial synthesise``."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from support import tiny

Program = Callable[..., tuple[int, str]]


def test_style_and_noise_are_options(program: Program, tmp_path: Path) -> None:
    spec = tmp_path / "town.yaml"
    spec.write_text(yaml.safe_dump(tiny.city_spec(splits={"train": ["city_1"]}).model_dump(mode="json")))
    options = ["--size", "64", "--style", "organic", "--noise", "image=0.02", "--noise", "labels=1e-1"]
    code, output = program("synthesise", spec, "--out", tmp_path / "town", *options)
    assert code == 0, output
    note = (tmp_path / "town" / "GENERATED.txt").read_text()
    assert note.endswith("style organic; noise: image 0.02 of its range, labels 0.1 of the ground outside test tiles\n")


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        (["labels=2"], "Error: noise, key labels: found 2; expected a number less than 1. Correct the value."),
        (["label=0.1"], "found an unknown key; expected one of height, image, labels. Did you mean labels?"),
        (["0.1"], "Error: --noise: found '0.1'; expected KEY=VALUE. For example --noise image=0.02."),
        (["image=x"], "Error: noise, key image: found 'x'; expected a number. Correct the value."),
        (["image=0.1", "image=0.2"], "Error: --noise: found image twice; expected each key once. Leave one out."),
    ],
)
def test_wrong_noise_is_one_sentence(noise: list[str], message: str, program: Program, tmp_path: Path) -> None:
    options = [word for text in noise for word in ("--noise", text)]
    code, output = program("synthesise", tiny.CONFIG / "datasets/city.yaml", "--out", tmp_path / "town", *options)
    assert code == 1
    assert message in output
    assert len(output.strip().splitlines()) == 1
    assert not (tmp_path / "town").exists()

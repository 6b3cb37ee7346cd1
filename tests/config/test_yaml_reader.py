"""The YAML reader: duplicate keys, malformed scalars, nesting and alias bombs end in one sentence."""

from pathlib import Path

import pytest

from mtlaerial.config import load_dataset, load_project, read_yaml, typed_scalars
from mtlaerial.errors import ConfigError
from support import tiny

CITY = tiny.CONFIG / "datasets" / "city.yaml"


def refusal(folder: Path, text: str) -> str:
    """Return the error on a file with a text, without the file's path."""
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_yaml(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert len(message.splitlines()) == 1
    return message.removeprefix(str(path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", ", key a: found the key twice (lines 1 and 3)"),
        ("a: 1\n'a': 2\n", ", key a: found the key twice (lines 1 and 2)"),
        ("a: {b: 1, c: 2, b: 1}\n", ", key a.b: found the key twice (lines 1 and 1)"),
        ("a:\n  - {b: 1}\n  - {b: 1, b: 2}\n", ", key a.1.b: found the key twice (lines 3 and 3)"),
    ],
)
def test_a_key_that_is_given_twice_is_refused(tmp_path: Path, text: str, message: str) -> None:
    assert message in refusal(tmp_path, text)


def test_a_second_splits_section_does_not_swap_training_and_test(tmp_path: Path) -> None:
    path = tmp_path / "city.yaml"
    path.write_text(CITY.read_text() + "splits: {train: [city_6], test: [city_1]}\n")
    with pytest.raises(ConfigError, match="key splits: found the key twice"):
        load_dataset(path)


def test_duplicate_keys_of_an_overlay_are_refused(tmp_path: Path) -> None:
    (tmp_path / "overlay.yaml").write_text("training:\n  batch: 2\n  epochs: 3\n  batch: 4\n")
    with pytest.raises(ConfigError, match=r"overlay\.yaml, key training\.batch: found the key twice \(lines 2 and 4\)"):
        load_project(tiny.CONFIG / "config.yaml", tmp_path / "overlay.yaml")


def test_a_merged_mapping_may_be_overridden(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("base: &base {a: 1, b: 2}\nnew: {<<: *base, b: 3}\n")
    assert read_yaml(path)["new"] == {"a": 1, "b": 3}


@pytest.mark.parametrize(
    ("scalar", "message"),
    [
        ("2001-99-99", "'2001-99-99' is no timestamp"),
        ("!!int x", "'x' is no int"),
        ('!!float ""', "'' is no float"),
        ("!!bool x", "'x' is no bool"),
        ("!!timestamp x", "'x' is no timestamp"),
    ],
)
def test_a_malformed_scalar_is_named_with_its_line(tmp_path: Path, scalar: str, message: str) -> None:
    assert f": found text that is not YAML (line 2, column 4: {message}" in refusal(tmp_path, f"b: 1\na: {scalar}\n")


@pytest.mark.parametrize("text", [f"a: {'[' * 1000}{']' * 1000}", f"a: {'{b: ' * 60}1{'}' * 60}", "a: &a [*a]"])
def test_deep_nesting_is_refused(tmp_path: Path, text: str) -> None:
    assert "nested more deeply; expected at most 50 levels" in refusal(tmp_path, text)


def test_an_alias_bomb_is_refused_before_it_expands(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    assert "found more values; expected at most 500,000 values" in refusal(tmp_path, "\n".join(lines))


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    with pytest.raises(ConfigError, match="/dev/zero: found a larger file; expected a YAML file of at most 32 MB"):
        read_yaml(Path("/dev/zero"))


def test_a_raster_given_as_yaml_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "image.tif").write_bytes(b"II*\x00\xff\xfe")
    with pytest.raises(ConfigError, match="no UTF-8 text"):
        read_yaml(tmp_path / "image.tif")


def test_a_field_of_a_split_table_beyond_csv_s_limit_is_named(tmp_path: Path) -> None:
    text = CITY.read_text()
    (tmp_path / "city.yaml").write_text(text[: text.index("splits:")] + "splits: {csv: splits.csv}\n")
    (tmp_path / "splits.csv").write_text(f"tile,split\n{'a' * 140_000},train\n")
    with pytest.raises(ConfigError, match=r"splits\.csv: found text that is not CSV \(field larger than"):
        load_dataset(tmp_path / "city.yaml")


def test_texts_that_yaml_cannot_read_stay_texts() -> None:
    texts = {"a": "2001-99-99", "b": "*name", "c": "[1", "d": "", "e": "{x: 1}"}
    assert typed_scalars(texts) == texts


@pytest.mark.parametrize("number", ["0x" + "f" * 9_000, "1" + ":20" * 3_000, "0b" + "1" * 40_000, "1." + "0" * 200])
def test_a_number_without_end_is_refused(tmp_path: Path, number: str) -> None:
    message = refusal(tmp_path, f"gsd: {number}")
    assert "(line 1, column 6: '" in message
    assert "quote it if it is text" in message


def test_a_character_beyond_unicode_is_refused(tmp_path: Path) -> None:
    assert "found text that is not YAML (" in refusal(tmp_path, r'title: "\U00110000"')


@pytest.mark.full("reads 120,000 values")
def test_the_hashes_of_many_tiles_are_read(tmp_path: Path) -> None:
    hashes = "".join(f"  tile_{number}: '0'\n" for number in range(60_000))
    (tmp_path / "run.yaml").write_text(f"images:\n{hashes}")
    assert len(read_yaml(tmp_path / "run.yaml")["images"]) == 60_000


@pytest.mark.full("reads 500,000 values")
def test_many_values_are_not_read_to_their_end(tmp_path: Path) -> None:
    assert "expected at most 500,000 values" in refusal(tmp_path, "gsd: [" + "1," * 600_000 + "]")


def test_many_faults_are_counted_in_seconds(tmp_path: Path) -> None:
    path = tmp_path / "town.yaml"
    path.write_text("title: a\n" + "".join(f"k{index}: 1\n" for index in range(3_000)))
    with pytest.raises(ConfigError) as caught:
        load_dataset(path)
    assert str(caught.value).endswith("And 2999 more.")

"""Counts of networks, in the command's tables and in the documentation."""

import re
from pathlib import Path

import pytest

from mtlaerial.config.encoder import ENCODERS
from mtlaerial.models import network_listing
from mtlaerial.models.network_counts import count_network
from mtlaerial.models.network_listing import (
    OUTPUTS,
    cells,
    count_contexts,
    count_decoders,
    count_encoders,
    list_networks,
)
from support import networks

DOCUMENT = Path(__file__).parents[2] / "docs" / "networks.md"


def documented() -> dict[str, tuple[str, ...]]:
    """Return the rows of the tables of costs by their first cell."""
    _, _, section = DOCUMENT.read_text(encoding="utf-8").partition("\n## Costs\n")
    lines = re.findall(r"^\| (.*) \|$", section.partition("\n## ")[0], re.MULTILINE)
    rows = [line.split(" | ") for line in lines]
    heads = {"network", "decoder, exchange", "scale"}
    return {first.strip("`"): tuple(numbers) for first, *numbers in rows if first not in heads}


@pytest.mark.parametrize("finest", [2, 1])
def test_operations_are_counted_by_hand(finest: int) -> None:
    spec = networks.network_spec("fusion", decoder={**networks.SMALL, "finest": finest})
    counts = count_network(spec, {"height": 1})
    strides, channels, width, head = (
        (2, 4, 8, 16, 32),
        (4, 5, 6, 7, 8),
        networks.SMALL["channels"],
        networks.SMALL["head"],
    )
    # Kernels as large as their strides: every pixel of the finer scale is used once.
    entries, areas = (3, *channels[:-1]), (1, *(stride**2 for stride in strides[:-1]))
    encoder = sum(entry * out / area for entry, out, area in zip(entries, channels, areas, strict=True))
    laterals = sum(entry * width / stride**2 for entry, stride in zip(channels[1:], strides[1:], strict=True))
    decoder = laterals + 9 * width**2 / 4**2
    one_head = 9 * width * head / 4**2 + (channels[0] * head + 9 * head**2) / 2**2
    if finest == 2:
        one_head += head / 2**2
    else:
        pixels, narrow = width // 4, head // 2
        encoder += 9 * 3 * pixels  # runs once, as the encoder
        one_head += head * narrow / 2**2 + pixels * narrow + 9 * narrow**2 + narrow
    assert counts.encoder_flop == pytest.approx(2 * encoder)
    assert counts.flop == pytest.approx(2 * (encoder + decoder + one_head))
    assert counts.parameters > counts.encoder_parameters > 0


@pytest.mark.full("counts all encoders")
def test_the_documented_counts_are_those_of_the_networks() -> None:
    encoders, _ = count_encoders()
    counts = {
        **encoders,
        **count_decoders(),
        **count_contexts(),
        "d3net": count_network(networks.network_spec("default"), OUTPUTS),
    }
    del counts["small"]  # of the tests
    assert documented() == {name: cells(each) for name, each in counts.items()}


@pytest.mark.full("counts all decoders")
def test_the_list_has_every_encoder_and_names_the_reason_for_one_that_cannot_be_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in set(ENCODERS.builtin) - {"small"}:
        monkeypatch.delitem(ENCODERS.builtin, name)
    monkeypatch.setitem(ENCODERS.builtin, "broken", "support.networks:none_such")
    monkeypatch.setitem(ENCODERS.builtin, "sized", "support.networks:SmallEncoder")
    monkeypatch.setattr(network_listing, "DECODED", "small")
    text = list_networks()
    assert re.search(r"^  small +0\.\d M +0\.\d M +\d+ +\d+$", text, re.MULTILINE)
    for row in ("d3net +24.7 M +7.0 M +643 +117", "fusion, none, finest 1", "resize, attention", "context 8"):
        assert re.search(rf"^  {row}", text, re.MULTILINE), row
    assert "Not counted: encoder broken: found AttributeError" in text
    assert "as their size is an option: sized: strides" in text

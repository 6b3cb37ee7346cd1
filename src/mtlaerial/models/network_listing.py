"""Texts about networks, for the command line."""

import inspect
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import TypeAdapter

from mtlaerial.config import ModelSpec, NetworkSpec, Task
from mtlaerial.config.context import ContextSpec
from mtlaerial.config.encoder import ENCODERS, NETWORKS, DecoderSpec
from mtlaerial.errors import ConfigError
from mtlaerial.models.network_counts import NetworkCounts, count_network

OUTPUTS: dict[Task, int] = {"semantics": 6, "height": 1}
"""Channels of the outputs of the networks that are counted."""
DECODED = "efficientnet_lite0"
"""The encoder with which decoders are counted."""
WIDTH = 100
"""Characters of a line of text."""
HEADER = ("", "parameters", "of the encoder", "GFLOP per megapixel", "of the encoder")
LEGEND = (
    "Counted for 3 bands, 6 classes and heights, in a forward pass; a multiplication and an addition are 2 FLOP.",
    "An encoder is chosen by `models: {NAME: {encoder: ENCODER, decoder: DECODER}}`; see docs/networks.md.",
)
_SPEC: TypeAdapter[NetworkSpec] = TypeAdapter(ModelSpec)


def list_networks() -> str:
    """Return tables of all encoders and decoders; encoders that cannot be built as they are are named below them."""
    encoders, uncounted = count_encoders()
    network = {"d3net": count_network(_SPEC.validate_python({}), OUTPUTS)}
    packaged = sorted(set(NETWORKS.targets()) - set(NETWORKS.builtin))
    options = [f"{name}: {', '.join(keys)}" for name in uncounted if (keys := required_options(name))]
    broken = [f"Not counted: {error}" for name, error in uncounted.items() if not required_options(name)]
    below = [*LEGEND, *broken]
    if options:
        below.append(f"Not counted, as their size is an option: {'; '.join(options)}")
    if packaged:
        below.append(f"Networks of other packages: {', '.join(packaged)}")
    return "\n".join(
        [
            *_table({"network": network, "encoder, with the decoder fusion": encoders}),
            "",
            *_table({f"decoder, exchange, with the encoder {DECODED}": count_decoders()}),
            "",
            *_table({f"context, with the encoder {DECODED} and the decoder fusion": count_contexts()}),
            "",
            *(textwrap.fill(text, WIDTH, subsequent_indent="  ") for text in below),
        ]
    )


def count_encoders() -> tuple[dict[str, NetworkCounts], dict[str, ConfigError]]:
    """Return the counts of all encoders with the default decoder, and the errors of those that cannot be built."""
    counts, errors = {}, {}
    for name in ENCODERS.targets():
        try:
            counts[name] = count_network(_spec(name), OUTPUTS)
        except ConfigError as error:
            errors[name] = error
    return dict(sorted(counts.items(), key=lambda entry: entry[1].flop)), errors


def required_options(encoder: str) -> tuple[str, ...]:
    """Return the options without which an encoder cannot be built; none where it cannot be imported."""
    try:
        parameters = inspect.signature(ENCODERS.load(encoder)).parameters.values()
    except (ConfigError, TypeError, ValueError):  # also what is no function, or has no signature
        return ()
    named = [each for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
    return tuple(each.name for each in named if each.default is each.empty and each.name != "bands")


def count_decoders() -> dict[str, NetworkCounts]:
    """Return the counts of all decoders and kinds of exchange with one encoder, and with heads that see its pixels."""
    counts = {}
    for decoder in _choices("name"):
        for exchange in _choices("exchange"):
            spec = _spec(DECODED, name=decoder, exchange=exchange)
            counts[f"{decoder}, {exchange}"] = count_network(spec, OUTPUTS)
        spec = _spec(DECODED, name=decoder, finest=1)
        counts[f"{decoder}, none, finest 1"] = count_network(spec, OUTPUTS)
    return counts


def count_contexts() -> dict[str, NetworkCounts]:
    """Return the counts of one encoder and decoder with each context; the encoder's operations are of both its runs."""
    counts = {}
    for scale in get_args(ContextSpec.model_fields["scale"].annotation):
        spec = _SPEC.validate_python({"encoder": DECODED, "context": {"scale": scale}})
        counts[f"context {scale}"] = count_network(spec, OUTPUTS)
    return counts


def _choices(key: str) -> tuple[str, ...]:
    return get_args(DecoderSpec.model_fields[key].annotation)


def _spec(encoder: str, **decoder: Any) -> NetworkSpec:
    return _SPEC.validate_python({"encoder": encoder, "decoder": decoder})


def cells(counts: NetworkCounts) -> tuple[str, ...]:
    """Return counts as text: millions of parameters, and 10^9 operations per 10^6 pixels."""
    parameters = (f"{number / 1e6:.1f} M" for number in (counts.parameters, counts.encoder_parameters))
    return (*parameters, *(f"{flop / 1e3:.0f}" for flop in (counts.flop, counts.encoder_flop)))


def _table(groups: Mapping[str, Mapping[str, NetworkCounts]]) -> Iterator[str]:
    rows: list[tuple[str, ...]] = [HEADER]
    for heading, entries in groups.items():
        rows += [(heading, *[""] * (len(HEADER) - 1)), *((f"  {name}", *cells(each)) for name, each in entries.items())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        numbers = [text.rjust(width) for text, width in zip(others, widths[1:], strict=True)]
        yield "  ".join([first.ljust(widths[0]), *numbers]).rstrip()

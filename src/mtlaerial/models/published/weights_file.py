"""Files of an encoder's weights: safetensors under our names, which carry what is known of the weights."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator
from safetensors import SafetensorError, safe_open
from torch import Tensor

from mtlaerial.config import Section
from mtlaerial.config.encoder import same_encoder
from mtlaerial.config.sources import WeightsInput
from mtlaerial.errors import ConfigError, DataError, printable
from mtlaerial.models.published.form import published_form
from mtlaerial.models.published.reader import read_tensors
from mtlaerial.models.safetensors_io import require_finite_weights, save_weights
from mtlaerial.system.hashing import file_hashes
from mtlaerial.system.safetensors_header import require_header

Line = Annotated[str, AfterValidator(printable)]
"""Text of a file from elsewhere, without characters that would do something to a terminal."""
_FACTS = "pretrained"
"""Key of the file's metadata."""


class WeightsFacts(Section):
    """Facts about an encoder's weights, which their file carries."""

    name: Line
    """Their name in the configuration that they were fetched with, or the name of the published file."""
    encoder: str
    input: WeightsInput | None
    """The image that they expect; None where the encoder's first convolution is not among them."""
    sha256: str
    """SHA-256 of the published file."""
    licence: Line = "not stated"
    source: Line = "not stated"


@dataclass(frozen=True)
class EncoderWeights:
    """Weights of an encoder under our names.

    Attributes
    ----------
    path : Path
        The file that they were read from.
    facts : WeightsFacts
    tensors : dict of str to Tensor
    """

    path: Path
    facts: WeightsFacts
    tensors: dict[str, Tensor]


def convert_published(path: Path, facts: WeightsFacts) -> EncoderWeights:
    """Read a published file and convert it; a missing ``facts.input`` is completed from the encoder's form.

    Raises
    ------
    DataError
        When the file is missing or damaged, belongs to another network, or has weights that are not finite.
    ConfigError
        When no form of published weights is registered for the encoder.
    """
    form = published_form(facts.encoder)
    remedy = f"Get the published weights of {facts.encoder} anew, or choose the encoder that the file is of."
    published = read_tensors(path, remedy)
    try:
        tensors = form.convert(published)
    except DataError as error:
        raise DataError(f"{path}, {error.where}", error.found, error.expected, error.remedy) from None
    require_finite_weights(path, tensors)
    return EncoderWeights(path, facts.model_copy(update={"input": form.expected(facts.input)}), tensors)


def save_encoder_weights(path: Path, weights: EncoderWeights) -> None:
    """Write weights with what is known of them.

    Raises
    ------
    DataError
        When the folder cannot be written or the disk is full.
    """
    # One entry, since safetensors writes several in no fixed order.
    save_weights(path, weights.tensors, {_FACTS: weights.facts.model_dump_json()})


def read_encoder_weights(path: Path, encoder: str | None) -> EncoderWeights:
    """Read an encoder's weights: a file of :func:`save_encoder_weights`, or one as published, which is converted.

    Parameters
    ----------
    path : Path
    encoder : str, optional
        The encoder of the network that is to take them; None where it has no name.

    Raises
    ------
    ConfigError
        When they are of another encoder, or it is not known of which.
    DataError
        When the file is missing or damaged, belongs to another network, or has weights that are not finite.
    """
    facts = read_facts(path)
    if facts is None:
        if encoder is None:
            remedy = "Describe the file in the section pretrained, and name that here."
            raise ConfigError(path, "weights without the name of their encoder", "weights that say it", remedy)
        sha256 = file_hashes(path, "sha256")["sha256"]
        return convert_published(path, WeightsFacts(name=path.name, encoder=encoder, input=None, sha256=sha256))
    if encoder and not same_encoder(facts.encoder, encoder):
        remedy = f"Choose the encoder {facts.encoder}, or other weights."
        raise ConfigError(f"{path}", f"weights of {facts.encoder}", f"those of the model's encoder, {encoder}", remedy)
    tensors = read_tensors(path, "Delete it and give the same command again, which makes it anew.")
    require_finite_weights(path, tensors)
    return EncoderWeights(path, facts, tensors)


def read_facts(path: Path) -> WeightsFacts | None:
    """Return what a file says of its weights; None where it is no file of :func:`save_encoder_weights`.

    Raises
    ------
    ConfigError, DataError
        When the file is missing, or its facts are damaged.
    """
    if not path.is_file():
        raise DataError(path, "a folder" if path.is_dir() else "no file", "weights by name", "Check the path.")
    entries = _metadata(path).get(_FACTS) if path.suffix == ".safetensors" else None
    if entries is None:
        return None
    try:
        facts: dict[str, Any] = dict(json.loads(entries))
    except (ValueError, TypeError, RecursionError):
        raise DataError(
            path, "damaged facts about its weights", "the file as it was written", "Make it anew."
        ) from None
    return WeightsFacts.parse(facts, str(path))


def _metadata(path: Path) -> dict[str, str]:
    try:
        require_header(path)
        with safe_open(path, framework="np") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        problem = f"a file that cannot be read ({error})"
        raise DataError(path, problem, "weights by name", "Get the file anew.") from None

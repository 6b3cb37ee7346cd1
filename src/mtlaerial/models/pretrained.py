"""Download of published encoder weights, and their conversion to our tensor names."""

from pathlib import Path

from mtlaerial.config.sources import PretrainedSpec
from mtlaerial.errors import DownloadError
from mtlaerial.system.download import fetch
from mtlaerial.system.files import discard


def fetch_pretrained(name: str, spec: PretrainedSpec, target: Path) -> None:
    """Download published weights of DenseNet-121, verify them, and write them under our encoder's names.

    Parameters
    ----------
    name : str
        Its key in ``pretrained`` of the configuration, for messages.
    spec : PretrainedSpec
    target : Path
        The safetensors file.

    Raises
    ------
    DownloadError
        When the download fails or is not the published file; the message says how to do without network or weights.
    DataError
        When the file belongs to another network, or the target cannot be written.
    """
    from mtlaerial.models.imagenet import convert_densenet

    published = target.with_suffix(".pth")
    try:
        fetch(spec.file or spec.url, published, spec.sha256)
    except DownloadError as error:
        ways = (
            f"Where there is no network, give a copy of {spec.url} as pretrained.{name}.file; or train without these "
            f"weights, with pretrained: none in the model."
        )
        raise DownloadError(error.where, error.found, error.expected, f"{error.remedy} {ways}") from None
    try:
        convert_densenet(published, target)
    finally:
        discard(published)

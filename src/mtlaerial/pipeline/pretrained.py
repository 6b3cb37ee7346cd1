"""Published encoder weights: downloaded, copied or taken from a package, and converted to our tensor names."""

from pathlib import Path

from mtlaerial.config.sources import PretrainedSpec
from mtlaerial.errors import DownloadError, UserError
from mtlaerial.system.download import fetch
from mtlaerial.system.files import discard
from mtlaerial.system.package_file import package_file


def fetch_pretrained(name: str, spec: PretrainedSpec, target: Path) -> None:
    """Get published weights of an encoder, verify them, and write them under our encoder's names.

    Parameters
    ----------
    name : str
        Its key in ``pretrained`` of the configuration.
    spec : PretrainedSpec
    target : Path
        The safetensors file.

    Raises
    ------
    DownloadError
        When the file cannot be had or is not the published one; the message says how to do without network or weights.
    DataError
        When the file belongs to another network, or the target cannot be written.
    """
    from mtlaerial.models.published.weights_file import WeightsFacts, convert_published, save_encoder_weights

    published = target.with_suffix(".published")
    place = published_place(name, spec)
    try:
        fetch(place, published, spec.sha256)
    except DownloadError as error:
        remedy = f"{error.remedy} {_ways_out(name, spec)}"
        raise DownloadError(error.where, error.found, error.expected, remedy) from None
    keys = ("encoder", "input", "sha256", "licence", "source")
    facts = WeightsFacts(name=name, **{key: getattr(spec, key) for key in keys})
    try:
        save_encoder_weights(target, convert_published(published, facts))
    finally:
        discard(published)


def is_fetched(spec: PretrainedSpec, target: Path) -> bool:
    """Tell whether a file holds published weights as they are described now; a damaged file does not."""
    from mtlaerial.models.published.form import published_form
    from mtlaerial.models.published.weights_file import read_facts

    if not target.exists():
        return False
    try:
        facts = read_facts(target)
    except UserError:
        return False
    expected = published_form(spec.encoder).expected(spec.input)
    described = (spec.encoder, spec.sha256, expected)
    return facts is not None and (facts.encoder, facts.sha256, facts.input) == described


def published_place(name: str, spec: PretrainedSpec) -> str:
    """Return where a published file is taken from: the copy, else an installed package, else the URL.

    Raises
    ------
    DownloadError
        When it is in a package that is not installed, and nowhere else.
    """
    if spec.file:
        return spec.file
    installed = package_file(spec.package.name, spec.package.path) if spec.package else None
    if installed:
        return str(installed)
    if spec.url:
        return spec.url
    assert spec.package is not None  # one of the three is required
    remedy = f"Install it: pip install {spec.package.name}."
    raise DownloadError(f"pretrained.{name}", "no such package", f"the package {spec.package.name}", remedy)


def _ways_out(name: str, spec: PretrainedSpec) -> str:
    return (
        f"Where there is no network, give a copy of {spec.location} as pretrained.{name}.file; or train without these "
        f"weights, with pretrained: none in the model, such as `--set models.d3net.pretrained=none`."
    )

"""Rules on the bands of an image: number, choice, order, data types."""

from collections.abc import Sequence

from mtlaerial.datasets.check.findings import Findings, Level
from mtlaerial.datasets.check.image_gate.expectation import ImageExpectation
from mtlaerial.datasets.check.image_gate.header import RasterHeader
from mtlaerial.datasets.check.image_gate.remedies import colour_tags_command, expand_command

_COLOURS = {"red", "green", "blue"}


def judge_bands(header: RasterHeader, expected: ImageExpectation, findings: Findings) -> bool:
    """Add findings about the bands of an image; return whether the expected ones can be read."""
    if not _exist(header, expected, findings):
        return False
    bands, count = expected.bands, len(expected.bands)
    repeated = [band for band in dict.fromkeys(bands) if list(bands).count(band) > 1]
    if repeated:
        observed = f"band {repeated[0]} more than once in {expected.wording.bands} ({_listed(bands)})"
        remedy = f"{expected.choose(_suggestion(header, expected))}."
        findings.error(header.path, observed, f"{count} different bands ({', '.join(expected.names)})", remedy)
    _judge_alpha(header, expected, findings)
    _judge_labels(header, expected, findings)
    _judge_unused(header, expected, findings)
    return _judge_dtypes(header, bands, findings)


def _exist(header: RasterHeader, expected: ImageExpectation, findings: Findings) -> bool:
    bands, names, wording = expected.bands, expected.names, expected.wording
    needed = f"{len(names)} band{_plural(len(names))} ({', '.join(names)})"
    if len(bands) != len(names):
        observed = f"{len(bands)} band{_plural(len(bands))} in {wording.bands} ({_listed(bands)})"
        findings.error(header.path, observed, needed, "Name one for each, in this order.")
        return False
    if min(bands) < 1:
        observed = f"band {min(bands)} in {wording.bands}"
        findings.error(header.path, observed, "bands counted from 1", "Correct them.")
        return False
    if max(bands) <= header.count:
        return True
    observed = f"{header.count} band{_plural(header.count)}"
    if len(header.image_bands) >= len(names):
        remedy = f"{expected.choose(_suggestion(header, expected))} if these are {', '.join(names)}."
        findings.error(header.path, observed, f"the bands {_listed(bands)}", remedy)
    else:
        findings.error(header.path, observed, needed, _few_bands_remedy(header, expected))
    return False


def _few_bands_remedy(header: RasterHeader, expected: ImageExpectation) -> str:
    if header.colours == ("palette",) and set(expected.names) == _COLOURS:
        return f"Expand its colour table: {expand_command(header.path)}"
    return expected.wording.fewer_bands


def _suggestion(header: RasterHeader, expected: ImageExpectation) -> Sequence[int]:
    """Return the bands that are probably meant: by the file's labels, else its first ones without alpha."""
    return _labelled_bands(header, expected) or header.image_bands[: len(expected.names)]


def _judge_dtypes(header: RasterHeader, bands: Sequence[int], findings: Findings) -> bool:
    dtypes = [header.dtypes[band - 1] for band in bands]
    if any(dtype.startswith("complex") for dtype in dtypes):
        findings.error(header.path, f"{dtypes[0]} values", "real numbers", "Convert the image to a real dtype.")
    if len(set(dtypes)) > 1:
        observed = f"bands of different dtypes ({', '.join(dtypes)})"
        findings.error(header.path, observed, "one dtype", "Convert the bands to one dtype.")
    return len(set(dtypes)) == 1


def _judge_alpha(header: RasterHeader, expected: ImageExpectation, findings: Findings) -> None:
    for band, name in zip(expected.bands, expected.names, strict=True):
        if band in header.alpha_bands and "alpha" not in name.casefold():
            observed = f"band {band} tagged as alpha (transparency), used as {name}"
            remedy = f"If it is {name}, correct the tag: {colour_tags_command(header, {band: 'undefined'})}."
            findings.warning(header.path, observed, "an image band", remedy)


def _judge_labels(header: RasterHeader, expected: ImageExpectation, findings: Findings) -> None:
    """Compare the file's labels with the names of the bands; choosing bands by hand makes a difference a warning."""
    labels = _labels(header, expected.names)
    pairs = list(zip(expected.bands, expected.names, strict=True))
    if all(labels[band - 1] in ("", name.casefold()) for band, name in pairs):
        return
    observed = (
        f"bands {_listed(expected.bands)} labelled {', '.join(labels[band - 1] or 'nothing' for band, _ in pairs)}"
    )
    meant = _labelled_bands(header, expected)
    remedy = expected.choose(meant) if meant else f"Correct {expected.wording.bands}"
    colours = {band: name.casefold() for band, name in pairs if name.casefold() in _COLOURS}
    remedy += f", or correct the labels: {colour_tags_command(header, colours)}."
    level: Level = "warning" if expected.chosen else "error"
    findings.add(level, header.path, observed, ", ".join(expected.names), remedy)


def _labels(header: RasterHeader, names: Sequence[str]) -> list[str]:
    """Return for each band of the file the name that its description or its colour tag states; empty without one.

    Colour tags count only where the expected bands are red, green and blue, and more: images of near infrared, red and
    green are often tagged as red, green and blue, so that viewers show them.
    """
    expected_names = {name.casefold() for name in names}
    tags_count = expected_names >= _COLOURS
    labels = []
    for description, colour in zip(header.descriptions, header.colours, strict=True):
        label = description.strip().casefold()
        if label not in expected_names:
            label = colour if tags_count and colour in _COLOURS else ""
        labels.append(label)
    return labels


def _labelled_bands(header: RasterHeader, expected: ImageExpectation) -> list[int]:
    """Return the bands whose labels are the expected names; empty where a name has none or several."""
    labels = _labels(header, expected.names)
    names = [name.casefold() for name in expected.names]
    if any(labels.count(name) != 1 for name in names):
        return []
    return [labels.index(name) + 1 for name in names]


def _judge_unused(header: RasterHeader, expected: ImageExpectation, findings: Findings) -> None:
    unused = [band for band in header.image_bands if band not in expected.bands]
    if unused and not expected.chosen:
        observed = f"{header.count} bands, of which {_listed(expected.bands)} are used"
        wording = expected.wording
        remedy = f"Band{_plural(len(unused))} {_listed(unused)} will not be seen; {wording.unused}"
        findings.warning(header.path, observed, "bands that are all used", remedy)


def _listed(bands: Sequence[int]) -> str:
    return ", ".join(map(str, bands))


def _plural(number: int) -> str:
    return "" if number == 1 else "s"

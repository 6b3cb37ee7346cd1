"""Checks between tiles: leakage from training to evaluation, and tiles that differ from the rest."""

from collections import Counter
from collections.abc import Sequence
from statistics import median

from mtlaerial.datasets.check.buffer import check_buffer
from mtlaerial.datasets.check.findings import Finding, Findings, percent
from mtlaerial.datasets.check.overlaps import overlaps
from mtlaerial.datasets.check.report import ImageFacts, TileReport
from mtlaerial.datasets.footprints import Footprint, in_lon_lat

_OVERLAP = 1e-3
"""Largest overlap of two tiles, as a share of the smaller one, that counts as rounding of their edges."""
_SERIOUS_OVERLAP = 1e-2
"""Overlap that falsifies scores: an error."""
_NAMED = 5
"""Largest number of tiles that one finding names."""
_GSD = 0.05
"""Largest relative difference in GSD without a warning."""
Tiles = Sequence[tuple[TileReport, ImageFacts]]


def check_splits(reports: Sequence[TileReport], buffer: float = 0.0) -> tuple[Finding, ...]:
    """Find common ground or images of different splits or areas, and tiles with unusual bands, dtype or GSD.

    Parameters
    ----------
    reports : sequence of TileReport
        Of all tiles of a data set; tiles without a readable image are skipped.
    buffer : float
        Metres around tiles held out whose truth is not trained on. With one, common ground is within it.
    """
    findings = Findings()
    tiles = [(report, report.image) for report in reports if report.image]
    placed = footprints(reports)
    if buffer:
        check_buffer(placed, buffer, findings)
        _check_located(tiles, findings)
    else:
        _check_overlaps(placed, findings)
    _report_inconclusive(tiles, placed, findings)
    _check_equal_images(tiles, findings)
    _check_forms(tiles, findings)
    _check_gsds(tiles, findings)
    return tuple(findings.items)


def footprints(reports: Sequence[TileReport]) -> list[Footprint]:
    """Return the footprints of the tiles that have a georeference."""
    tiles = [(report, report.image) for report in reports if report.image]
    return [
        Footprint(tile=report.tile, group=report.group, bounds=image.bounds, crs=image.crs)
        for report, image in tiles
        if image.bounds
    ]


def _check_overlaps(placed: Sequence[Footprint], findings: Findings) -> None:
    """Find tiles of different splits on the same ground."""
    for first, second, share in overlaps(placed):
        if share > _OVERLAP:
            names = f"{first.group} tile {first.tile} and {second.group} tile {second.tile}"
            observed = f"{names} with {percent(share)} of the smaller in common"
            add = findings.error if share > _SERIOUS_OVERLAP else findings.warning
            remedy = "Put both into one split, crop one of them, or set buffer."
            add("splits", observed, "splits without common ground", remedy)


def _report_inconclusive(tiles: Tiles, placed: Sequence[Footprint], findings: Findings) -> None:
    """Warn of tiles of which it cannot be told whether they share ground with other splits."""
    if len({report.group for report, _ in tiles}) < 2:
        return
    unplaced = _without_georeference(tiles)
    if len({footprint.horizontal_crs for footprint in placed}) > 1:
        pairs = zip(placed, in_lon_lat(placed), strict=True)
        unplaced += [f"{footprint.group} tile {footprint.tile}" for footprint, polygon in pairs if polygon is None]
    if unplaced:
        observed = f"no place on the earth for {_listed(unplaced)}: overlaps with other splits cannot be told"
        remedy = "Add georeference and CRS, or make sure by hand that no ground lies in two splits."
        findings.warning("splits", observed, "georeferenced tiles", remedy)


def _without_georeference(tiles: Tiles) -> list[str]:
    """Return the tiles without georeference; those with a wrong one have an error of their own."""
    return [_name(report) for report, image in tiles if image.bounds is None and not image.georeference_rejected]


def _check_located(tiles: Tiles, findings: Findings) -> None:
    """Find tiles that no distance can be measured from."""
    unplaced = _without_georeference(tiles)
    if unplaced:
        observed = f"no georeference of {_listed(unplaced)}, so that no distance from it can be told"
        remedy = "Add the georeference, or take buffer out of the data set's specification."
        findings.error("buffer", observed, "georeferenced tiles", remedy)


def _check_equal_images(tiles: Tiles, findings: Findings) -> None:
    """Find tiles of different splits with the same pixels, where at least one has no georeference."""
    first_of: dict[str, tuple[TileReport, ImageFacts]] = {}
    for report, image in tiles:
        if image.digest is None:
            continue
        first, first_image = first_of.setdefault(image.digest, (report, image))
        if first.group != report.group and not (image.bounds and first_image.bounds):
            observed = f"{_name(first)} and {_name(report)} with the same image"
            remedy = "Put both into one split, or take one of them out."
            findings.error("splits", observed, "different images", remedy)


def _name(report: TileReport) -> str:
    return f"{report.group} tile {report.tile}"


def _listed(names: Sequence[str]) -> str:
    more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return ", ".join([*names[:_NAMED], *more])


def _check_forms(tiles: Tiles, findings: Findings) -> None:
    """Compare each image's bands and dtype with the most frequent ones."""
    forms = Counter((image.bands, image.dtype) for _, image in tiles)
    for report, image in tiles:
        bands, dtype = forms.most_common(1)[0][0]
        if (image.bands, image.dtype) != (bands, dtype):
            observed, expected = f"{image.bands} bands of {image.dtype}", f"{bands} of {dtype}, as in most tiles"
            findings.error(f"image of tile {report.tile}", observed, expected, "Convert it like the others.")


def _check_gsds(tiles: Tiles, findings: Findings) -> None:
    """Compare each image's GSD with the median."""
    gsds = [(report, image.gsd) for report, image in tiles if image.gsd]
    if not gsds:
        return
    usual = median(gsd for _, gsd in gsds)
    for report, gsd in gsds:
        if abs(gsd / usual - 1) > _GSD:
            observed, expected = f"{gsd:.4g} m per pixel", f"{usual:.4g} m, as in most tiles"
            findings.warning(f"image of tile {report.tile}", observed, expected, "Resample it to the others' GSD.")

"""Checks between tiles: leakage from training to evaluation, and tiles that differ from the rest."""

from collections import Counter
from collections.abc import Sequence
from statistics import median

from mtlaerial.datasets.check.findings import Finding, Findings, percent
from mtlaerial.datasets.check.overlaps import Place, horizontal_crs, in_lon_lat, overlaps
from mtlaerial.datasets.check.report import ImageFacts, TileReport

_OVERLAP = 1e-3
"""Largest overlap of two tiles, as a share of the smaller one, that counts as rounding of their edges."""
_SERIOUS_OVERLAP = 1e-2
"""Overlap that falsifies scores: an error."""
_NAMED = 5
"""Largest number of tiles that one finding names."""
_GSD = 0.05
"""Largest relative difference in GSD without a warning."""
Tiles = Sequence[tuple[TileReport, ImageFacts]]


def check_splits(reports: Sequence[TileReport]) -> tuple[Finding, ...]:
    """Find common ground or images of different splits, and tiles with unusual bands, dtype or GSD.

    Parameters
    ----------
    reports : sequence of TileReport
        Of all tiles of a data set; tiles without a readable image are skipped.
    """
    findings = Findings()
    tiles = [(report, report.image) for report in reports if report.image]
    _check_overlaps(tiles, findings)
    _check_equal_images(tiles, findings)
    _check_forms(tiles, findings)
    _check_gsds(tiles, findings)
    return tuple(findings.items)


def _check_overlaps(tiles: Tiles, findings: Findings) -> None:
    """Find tiles of different splits on the same ground, and tiles whose ground cannot be compared."""
    placed = [(report, place) for report, image in tiles if (place := _place(report, image))]
    places = [place for _, place in placed]
    for first, second, share in overlaps(places):
        if share > _OVERLAP:
            names = f"{_name(placed[first][0])} and {_name(placed[second][0])}"
            observed = f"{names} with {percent(share)} of the smaller in common"
            add = findings.error if share > _SERIOUS_OVERLAP else findings.warning
            add("splits", observed, "splits without common ground", "Put both into one split, or crop one of them.")
    _report_inconclusive(tiles, placed, findings)


def _place(report: TileReport, image: ImageFacts) -> Place | None:
    """Return the ground of a tile; None without georeference."""
    if image.bounds is None:
        return None
    return Place(report.split, image.bounds, horizontal_crs(image.crs) if image.crs else None)


def _report_inconclusive(tiles: Tiles, placed: Sequence[tuple[TileReport, Place]], findings: Findings) -> None:
    """Warn of tiles of which it cannot be told whether they share ground with other splits."""
    if len({report.split for report, _ in tiles}) < 2:
        return
    unplaced = [report for report, image in tiles if image.bounds is None]
    if len({place.crs for _, place in placed}) > 1:
        polygons = in_lon_lat([place for _, place in placed])
        unplaced += [report for (report, _), polygon in zip(placed, polygons, strict=True) if polygon is None]
    if unplaced:
        observed = f"no place on the earth for {_names(unplaced)}: overlaps with other splits cannot be told"
        remedy = "Add georeference and CRS, or make sure by hand that no ground lies in two splits."
        findings.warning("splits", observed, "georeferenced tiles", remedy)


def _check_equal_images(tiles: Tiles, findings: Findings) -> None:
    """Find tiles of different splits with the same pixels, where at least one has no georeference."""
    first_of: dict[str, tuple[TileReport, ImageFacts]] = {}
    for report, image in tiles:
        if image.digest is None:
            continue
        first, first_image = first_of.setdefault(image.digest, (report, image))
        if first.split != report.split and not (image.bounds and first_image.bounds):
            observed = f"{_name(first)} and {_name(report)} with the same image"
            remedy = "Put both into one split, or take one of them out."
            findings.error("splits", observed, "different images", remedy)


def _name(report: TileReport) -> str:
    return f"{report.split} tile {report.tile}"


def _names(reports: Sequence[TileReport]) -> str:
    names = [_name(report) for report in reports[:_NAMED]]
    if len(reports) > _NAMED:
        names.append(f"{len(reports) - _NAMED} more")
    return ", ".join(names)


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

"""Files that a VRT reads: each must exist and pass the same checks as a file that is opened by its name.

GDAL would open a VRT's files with all its drivers, over the network too, read raw bytes of any file as pixels, and
report a missing one in its log alone. So a VRT is opened only if all its elements are known to be harmless.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

from mtlaerial.config.crs_text import is_crs_text
from mtlaerial.errors import DataError

LARGEST_BYTES = 256 * 2**20
"""Largest VRT; one of 100,000 files has some 60 MB."""
_PLACES = "SimpleSource ComplexSource AveragedSource NoDataFromMaskSource KernelFilteredSource"
_BAND = (
    "VRTRasterBand Description UnitType Offset Scale CategoryNames Category NoDataValue HideNoDataValue ColorTable "
    "Entry ColorInterp Histograms HistItem HistMin HistMax BucketCount IncludeOutOfRange Approximate HistCounts "
    "MaskBand Overview GDALRasterAttributeTable FieldDefn Name Type Usage Row F PixelFunctionType "
    "PixelFunctionArguments SourceTransferType PixelFunctionLanguage"
)
_SOURCE = (
    "SourceFilename SourceBand SourceProperties SrcRect DstRect NODATA ScaleOffset ScaleRatio ColorTableComponent LUT "
    "Exponent SrcMin SrcMax DstMin DstMax Clamp UseMaskBand MaskValueThreshold RemappedValue Kernel Size Coefs"
)
_DATASET = (
    "VRTDataset SRS GeoTransform GCPList GCP Metadata MDI OverviewList BlockXSize BlockYSize "
    # Of a warped VRT:
    "GDALWarpOptions WarpMemoryLimit ResampleAlg WorkingDataType Option SourceDataset Transformer ApproxTransformer "
    "MaxError BaseTransformer GenImgProjTransformer SrcGeoTransform SrcInvGeoTransform DstGeoTransform "
    "DstInvGeoTransform SrcGCPTransformer SrcTPSTransformer GCPTransformer TPSTransformer Order Reversed "
    "ReprojectTransformer ReprojectionTransformer SourceSRS TargetSRS Options BandList BandMapping SrcNoDataReal "
    "SrcNoDataImag DstNoDataReal DstNoDataImag DstDensity DstAlphaBand SrcAlphaBand Cutline CutlineBlendDist"
)
_ELEMENTS = frozenset(f"{_PLACES} {_BAND} {_SOURCE} {_DATASET}".split())
_NAMES = (
    "rasterXSize rasterYSize subClass dataType band blockXSize blockYSize relativeToVRT shared xOff yOff xSize ySize "
    "RasterXSize RasterYSize DataType BlockXSize BlockYSize resampling key name domain format c1 c2 c3 c4 src dst "
    "dataAxisToSRSAxisMapping coordinateEpoch Projection Id Info Pixel Line X Y Z GCPPixel GCPLine normalized index "
    "Row0Min BinSize tableType value"
)
_ATTRIBUTES = frozenset(_NAMES.split())
_CLASSES = ("VRTWarpedDataset", "VRTRasterBand", "VRTSourcedRasterBand", "VRTWarpedRasterBand", "VRTDerivedRasterBand")
"""Kinds of data sets and bands whose pixels come from rasters, by code of GDAL."""
_FILES = ("SourceFilename", "SourceDataset")
_CRS = ("SRS", "SourceSRS", "TargetSRS")
_FREE_TEXT = ("PixelFunctionArguments",)
"""Elements whose attributes are the user's own words."""


def files_of(path: Path) -> list[Path]:
    """Return the files that a VRT reads.

    Raises
    ------
    DataError
        When it is no VRT, when one of the files is missing or no plain file, or when it may read by other ways.
    """
    root = _parsed(path)
    for element in _elements(root):
        _require_harmless(path, element)
    files = list(dict.fromkeys(_file(path, element) for tag in _FILES for element in root.iter(tag)))
    missing = sorted(file.as_posix() for file in files if not file.exists())
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        observed = f"no file {missing[0]}{more}, which it reads"
        raise DataError(path, observed, "a VRT with all its files", "Put them there, or correct the VRT.")
    return files


def _parsed(path: Path) -> ET.Element:
    """Return the root element of a VRT."""
    if path.stat().st_size > LARGEST_BYTES:
        raise DataError(path, "a larger file", f"a VRT of at most {LARGEST_BYTES // 2**20} MB", "Divide it.")
    try:
        # As text, so that Python and GDAL, which knows no encodings, read the same characters.
        text = path.read_text(encoding="utf-8-sig")
        if "<!DOCTYPE" in text.upper():
            raise _unaccepted(path, "a document type definition")
        parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True, insert_pis=True))
        root = ET.fromstring(text, parser)
    except (ET.ParseError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(path, f"no XML ({error})", "a VRT", "Write it anew: gdalbuildvrt.") from None
    if root.tag != "VRTDataset":
        raise DataError(path, f"the element {root.tag}", "a VRTDataset", "Write it anew: gdalbuildvrt.")
    return root


def _elements(root: ET.Element) -> Iterator[ET.Element]:
    """Yield all elements but comments, and what metadata in XML hold."""
    waiting = [root]
    while waiting:
        element = waiting.pop()
        if isinstance(element.tag, str):
            yield element
            metadata = element.tag == "Metadata" and element.get("format", "").lower() == "xml"
            waiting += [] if metadata else element


def _require_harmless(path: Path, element: ET.Element) -> None:
    """Refuse an element by which GDAL might read anything but the VRT's files."""
    if element.tag not in _ELEMENTS:
        raise _unaccepted(path, f"the element {element.tag[:60]}")
    unknown = [] if element.tag in _FREE_TEXT else sorted(set(element.keys()) - _ATTRIBUTES)
    if unknown:
        raise _unaccepted(path, f"the attribute {unknown[0][:60]} of {element.tag}")
    if (kind := element.get("subClass")) and kind not in _CLASSES:
        raise _unaccepted(path, f"a {kind[:60]}")
    if element.tag == "PixelFunctionLanguage" and (element.text or "").strip() != "C":
        raise _unaccepted(path, "a pixel function of its own")
    if element.tag in _CRS and element.text and not is_crs_text(element.text):
        raise _unaccepted(path, f"the CRS {element.text[:100]}")
    if element.tag == "MDI" and (element.get("key") or "").upper() == "OVERVIEW_FILE":
        raise _unaccepted(path, "an OVERVIEW_FILE")


def _file(path: Path, element: ET.Element) -> Path:
    """Return a file that a VRT names; GDAL takes some names for addresses, archives, or parts of files."""
    name, relative = element.text or "", element.get("relativeToVRT", "0")
    if len(element) or relative not in ("0", "1") or not name:
        raise _unaccepted(path, f"no plain file name in {element.tag}")
    if name.startswith(("/vsi", "<", "{")) or re.match(r"\w+:", name):
        remedy = "Download or unpack what it reads, and name the files."
        raise DataError(path, f"{name[:100]}, which it reads", "a VRT of plain files on this machine", remedy)
    return (path.parent if relative == "1" else Path()) / name


def _unaccepted(path: Path, content: str) -> DataError:
    remedy = "Write what it shows to a GeoTIFF, if you trust it: rio convert FILE.vrt NEW.tif"
    return DataError(path, content, "a VRT that mosaics, scales or warps plain files", remedy)

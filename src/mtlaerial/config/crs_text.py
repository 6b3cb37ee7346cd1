"""Texts of a CRS, in the forms that are read: GDAL would also fetch an address, and read a file of that name."""

import re
from typing import Annotated

from pydantic import AfterValidator

EXPECTED = 'a CRS such as "EPSG:2993"'
LONGEST = 100_000
"""Characters of a text; the longest WKT of the EPSG registry has some 6,000."""
_CODE = re.compile(r"(urn:ogc:def:)?[A-Za-z]\w*(:[\w.+-]*){1,6}", re.ASCII)
"""An authority and a code, e.g. EPSG:2993, EPSG:25832+7837, OGC:CRS84, urn:ogc:def:crs:EPSG::2993."""
_OGC_ADDRESS = re.compile(r"https?://(www\.)?opengis\.net/def/crs/\w+/[\w.]+/[\w.]+", re.ASCII)
"""OGC's way to write a code, which names no page: PROJ and GDAL read the code in it."""
_NAME = re.compile(r"[A-Za-z][\w .,()+'-]*( / [\w .,()+'-]+)*")
"""A name in the registry, e.g. WGS 84 / UTM zone 32N."""
_WKT = re.compile(r"[A-Za-z_]+\s*\[.*\]", re.DOTALL)
_JSON = re.compile(r"\{.*\}", re.DOTALL)
_PROJ = re.compile(r"\+[^\n]*")
_FILE = re.compile(r"\+(init\s*=|\w+\s*=\s*[^\s,]*([/\\]|:/))")
"""Parts of a PROJ string that make it read a file: ``+init``, or a path or an address as a value."""


def is_crs_text(text: str) -> bool:
    """Tell whether a text has a form of a CRS that names no file and no address.

    Examples
    --------
    >>> [is_crs_text(text) for text in ("EPSG:2993", "WGS 84 / UTM zone 32N", "https://example.org/2993", "a/b.wkt")]
    [True, True, False, False]
    """
    text = text.strip()
    if len(text) > LONGEST or "\0" in text:
        return False
    if text.startswith("+"):
        return bool(_PROJ.fullmatch(text)) and not _FILE.search(text)
    return any(form.fullmatch(text) for form in (_CODE, _NAME, _WKT, _JSON, _OGC_ADDRESS))


def _require_form(text: str) -> str:
    if not is_crs_text(text):
        raise ValueError(f"{EXPECTED}, WKT, or a PROJ string without files; addresses and files are not read")
    return text


CrsText = Annotated[str, AfterValidator(_require_form)]
"""A CRS by its code in a registry, its name there, as WKT, PROJJSON or PROJ string."""

"""Files that try to read more than themselves, and a listener that notices requests."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import rasterio

BAND = '<VRTRasterBand dataType="Byte" band="1"{kind}>{content}</VRTRasterBand>'
SOURCE = (
    '<SimpleSource><SourceFilename relativeToVRT="{relative}">{name}</SourceFilename>'
    "<SourceBand>1</SourceBand></SimpleSource>"
)
RAW = (
    '<SourceFilename relativeToVRT="0">{name}</SourceFilename><ImageOffset>0</ImageOffset>'
    "<PixelOffset>1</PixelOffset><LineOffset>8</LineOffset>"
)


def vrt(content: str, size: int = 16, kind: str = "", before: str = "") -> str:
    """Return a VRT of one band with some content, such as a source."""
    band = BAND.format(content=content, kind=f' subClass="{kind}"' if kind else "")
    return f'<VRTDataset rasterXSize="{size}" rasterYSize="{size}">{before}{band}</VRTDataset>'


def source(name: str | Path, relative: int = 0) -> str:
    """Return a VRT's source."""
    return SOURCE.format(name=name, relative=relative)


@dataclass(frozen=True)
class Listener:
    """A server that answers nobody."""

    url: str
    server: socket.socket

    def requested(self) -> bool:
        """Tell whether a connection was made."""
        try:
            self.server.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@contextmanager
def listening() -> Iterator[Listener]:
    """Listen on a free port, which GDAL waits for no longer than a second."""
    with socket.create_server(("127.0.0.1", 0)) as server, rasterio.Env(GDAL_HTTP_TIMEOUT=1, GDAL_HTTP_MAX_RETRY=0):
        server.setblocking(False)
        yield Listener(f"http://127.0.0.1:{server.getsockname()[1]}", server)

"""Raster grids and GeoTIFF input and output."""

"""Grids and GeoTIFFs."""

"""Overlapping windows of a raster of any size: run by a network, blended, and regridded as the raster streams by."""

"""Running a network over overlapping windows of a raster of any size, and blending what it says."""

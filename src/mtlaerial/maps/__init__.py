"""Layers of maps as files: cloud-optimised GeoTIFFs, their styles for QGIS, and the STAC Item of a prediction."""

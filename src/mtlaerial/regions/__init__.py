"""Regions: areas of any size that are mapped sheet by sheet from many images."""

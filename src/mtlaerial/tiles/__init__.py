"""Prepared tiles: preparation from raw files, statistics, and loading."""

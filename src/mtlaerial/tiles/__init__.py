"""Prepared tiles: making, measuring and loading them."""

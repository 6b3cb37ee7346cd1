"""Tiles of the report: pictures of image, truth, predictions, errors and uncertainties, their scales and keys."""

"""Calibration of a trained network on validation tiles: temperature of classes, conformal intervals of heights."""

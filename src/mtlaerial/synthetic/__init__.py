"""Synthetic data sets: a procedural city, written in the file layout of any data set."""

"""Evaluation of maps: sums per tile, scores, and seams."""

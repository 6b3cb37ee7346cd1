"""Sums, scores and seams: what is counted on maps."""

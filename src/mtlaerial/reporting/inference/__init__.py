"""Inference from few seeds and few test tiles: intervals, verdicts, and the power of a design."""

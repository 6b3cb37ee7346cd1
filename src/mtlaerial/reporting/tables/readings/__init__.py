"""Readings: a sentence on each table that says what its numbers show, and what the design can tell from chance."""

"""Task weightings, one file per method."""

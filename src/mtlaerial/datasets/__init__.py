"""Data sets: where their files are, whether they are sound, and generated ones in any layout."""

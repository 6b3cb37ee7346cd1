"""Checkpoints of the original implementation, read without running code in them."""

"""Decoders: from an encoder's features to the input of the heads, and the heads."""

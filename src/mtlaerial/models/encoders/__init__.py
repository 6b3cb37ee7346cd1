"""Encoders: features of an image at several scales."""

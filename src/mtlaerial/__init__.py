"""Semantics and height from one aerial image, by multi-task learning."""

from importlib.metadata import version

__version__ = version("mtlaerial")

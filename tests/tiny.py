"""The tests of weightings know this module by its former name."""

from support.tiny import *  # noqa: F403

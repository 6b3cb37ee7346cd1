"""Losses beside cross entropy and plain errors of heights, a file each."""

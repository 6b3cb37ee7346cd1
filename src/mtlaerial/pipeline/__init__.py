"""Drivers for Snakemake and the command line: the project, one run alone, processes."""

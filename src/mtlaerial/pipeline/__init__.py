"""What Snakemake and the command line drive: the project, one run alone, processes."""

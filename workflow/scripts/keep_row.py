"""Write the finished row of a run: its scores in a small file, with the keys that decided them."""

from pathlib import Path

from common import Job, folders, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.pipeline.finished_rows import keep_row

    scores, cost = Path(snakemake.input.scores), snakemake.input.cost
    tiles = folders(snakemake.input.tiles)
    keep_row(snakemake.params.run_keys, scores, Path(cost) if cost else None, tiles, Path(snakemake.output[0]))

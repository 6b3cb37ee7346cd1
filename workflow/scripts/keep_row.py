"""Write the finished row of a run: its scores in a small file, with the keys that decided them."""

from pathlib import Path

from common import Job, folders, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.pipeline.row_files import keep_row
    from mtlaerial.pipeline.run_keys import RunKeys

    keys = RunKeys(**snakemake.params.run_keys)
    trained = dict(zip(snakemake.params.trainings, folders(snakemake.input.runs), strict=True))
    scores, cost = Path(snakemake.input.scores), snakemake.input.cost
    tiles = folders(snakemake.input.tiles)
    keep_row(keys, trained, scores, Path(cost) if cost else None, tiles, Path(snakemake.output[0]))

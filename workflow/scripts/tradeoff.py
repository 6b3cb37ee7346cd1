"""Draw the trade-off between semantics and height on a data set."""

from pathlib import Path

from common import Job, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.reporting.folds import Evaluation, pool_folds
    from mtlaerial.reporting.tradeoff_points import draw_tradeoff
    from mtlaerial.scoring.scores_file import load_scores

    decisive = snakemake.params.decisive
    evaluation = Evaluation(folds=decisive["folds"], protocol="")
    scores = [load_scores(Path(path)) for path in snakemake.input]
    pooled = pool_folds(scores, {snakemake.wildcards.dataset: evaluation})
    draw_tradeoff(pooled, decisive["notes"], Path(snakemake.output.png), decisive["formats"])

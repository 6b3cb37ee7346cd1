"""Score the maps of a run."""

from pathlib import Path

from common import folders, logged

with logged(snakemake.log[0]):
    from mtlaerial.config import ScoringSpec
    from mtlaerial.scoring.scores import save_scores, score_run

    run = Path(snakemake.output[0]).parent
    scores = score_run(run, folders(snakemake.input.tiles), ScoringSpec.model_validate(snakemake.params.scoring))
    save_scores(scores, Path(snakemake.output[0]))

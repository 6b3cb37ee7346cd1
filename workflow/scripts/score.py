"""Score the maps of a run."""

from pathlib import Path

from common import Job, folders, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.config import ScoringSpec
    from mtlaerial.config.consistency import rules_in
    from mtlaerial.runs.calibration_file import load_calibration
    from mtlaerial.scoring.run_scores import score_run
    from mtlaerial.scoring.scores import save_scores

    run = Path(snakemake.output[0]).parent
    scoring = ScoringSpec.parse(snakemake.params.decisive["scoring"], "scoring")
    rules = rules_in(snakemake.params.decisive)
    calibration = load_calibration(run) if snakemake.input.calibration else None
    scores = score_run(run, folders(snakemake.input.tiles), scoring, rules=rules, calibration=calibration)
    save_scores(scores, Path(snakemake.output[0]))

"""Score the maps of a run."""

from pathlib import Path

from common import Job, folders, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.config import ScoringSpec
    from mtlaerial.config.consistency import rules_in
    from mtlaerial.config.objects import ObjectsSpec
    from mtlaerial.objects.run_objects import with_objects
    from mtlaerial.runs.calibration_file import load_calibration
    from mtlaerial.scoring.run_scores import score_run
    from mtlaerial.scoring.scores_file import save_scores

    run = Path(snakemake.output[0]).parent
    scoring = ScoringSpec.parse(snakemake.params.decisive["scoring"], "scoring")
    rules = rules_in(snakemake.params.decisive)
    calibration = load_calibration(run) if snakemake.input.calibration else None
    tiles = folders(snakemake.input.tiles)
    scores = score_run(run, tiles, scoring, rules=rules, calibration=calibration)
    if snakemake.input.objects:
        spec = ObjectsSpec.parse(snakemake.params.decisive["objects"], "objects")
        scores = with_objects(scores, Path(snakemake.input.objects), tiles, spec)
    save_scores(scores, Path(snakemake.output[0]))

"""Score the maps that a run of one data set made of another."""

from pathlib import Path

from common import Job, folders, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.config import ScoringSpec
    from mtlaerial.config.consistency import rules_in
    from mtlaerial.pipeline.context_params import dataset_in
    from mtlaerial.pipeline.transfer import transferred
    from mtlaerial.runs.run import load_description
    from mtlaerial.runs.seen_ground import run_ground_notes
    from mtlaerial.scoring.run_scores import score_maps
    from mtlaerial.scoring.scores_file import save_scores

    decisive, tested = snakemake.params.decisive, dataset_in(snakemake.params.context)
    run = load_description(Path(snakemake.input.description).parent)
    row = transferred(run, tested.name, tested.spec, decisive["codes"])
    scoring = ScoringSpec.parse(decisive["scoring"], "scoring")
    history = Path(snakemake.input.history) if snakemake.input.history else None
    tiles, maps = folders(snakemake.input.tiles), Path(snakemake.input.maps)
    scores = score_maps(row, maps, tiles, scoring, history=history, rules=rules_in(decisive))
    ground = run_ground_notes(row, tiles, "test", elsewhere=True)
    scores = scores.model_copy(update={"trained_on": run.plan.dataset, "ground": ground})
    save_scores(scores, Path(snakemake.output[0]))

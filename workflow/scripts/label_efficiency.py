"""Draw the curves of label efficiency of all data sets."""

from pathlib import Path

from common import Job, curves_in, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.reporting.folds import Evaluation, pool_folds
    from mtlaerial.reporting.label_curves import draw_curves
    from mtlaerial.scoring.scores_file import load_scores

    datasets = snakemake.params.decisive["datasets"]
    scores = [load_scores(Path(path)) for path in snakemake.input]
    evaluations: dict[str, Evaluation] = {}
    for name, dataset in datasets.items():
        evaluations[name] = Evaluation(folds=dataset["folds"], protocol=dataset["protocol"])
    notes = {name: dataset["notes"] for name, dataset in datasets.items()}
    paths = {Path(path).parent.name: Path(path) for path in snakemake.output.png}
    formats = snakemake.params.decisive["formats"]
    draw_curves(pool_folds(scores, evaluations), curves_in(datasets), notes, paths, formats)

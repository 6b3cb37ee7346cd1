"""Write the report: tables, figures, versions and data checks on one page."""

from pathlib import Path

from common import Job, curves_in, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.pipeline.context_params import dataset_in
    from mtlaerial.reporting.folds import Evaluation, fold_sources, pool_costs, pool_folds, pool_prediction_costs
    from mtlaerial.reporting.report import write_report
    from mtlaerial.reporting.run_costs import prediction_costs, run_costs
    from mtlaerial.reporting.trainings import training_facts
    from mtlaerial.scoring.scores import load_scores

    figures: list[Path] = []
    for path in map(Path, snakemake.input.figures):
        figures += [*sorted(path.glob("*.png")), *sorted(path.glob("maps/*.png"))] if path.is_dir() else [path]
    scores = {Path(path).parent: load_scores(Path(path)) for path in snakemake.input.scores}
    made = {folder: run for folder, run in scores.items() if not run.finished}
    costs = run_costs(made, [Path(path) for path in snakemake.input.costs])
    of_predictions = prediction_costs(made, [Path(path) for path in snakemake.input.prediction_costs])
    specs = {name: dataset_in(dataset).spec for name, dataset in snakemake.params.context.items()}
    checks = [Path(path) for path in snakemake.input.checks]
    notes = {name: dataset["notes"] for name, dataset in snakemake.params.decisive.items()}
    evaluations: dict[str, Evaluation] = {}
    for name, dataset in snakemake.params.decisive.items():
        evaluations[name] = Evaluation(folds=dataset["folds"], protocol=dataset["protocol"])
    pooled, pooled_costs = pool_folds(list(scores.values()), evaluations), pool_costs(costs, evaluations)
    folds = fold_sources(evaluations)
    trainings = training_facts(made, folds)
    ablations = {name: dataset.get("steps", []) for name, dataset in snakemake.params.decisive.items()}
    margins = {name: dataset["margin"] for name, dataset in snakemake.params.decisive.items()}
    page = Path(snakemake.output[0])
    predicted = pool_prediction_costs(of_predictions, evaluations)
    curves = curves_in(snakemake.params.decisive)
    compared = ablations, margins, curves, predicted
    write_report(pooled, specs, figures, checks, page, pooled_costs, notes, folds, trainings, *compared)

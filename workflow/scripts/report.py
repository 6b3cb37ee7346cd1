"""Write the report: tables, charts, tiles, versions and data checks on one page, and its pictures beside it."""

from pathlib import Path

from common import Job, curves_in, folders, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.pipeline.context_params import dataset_in
    from mtlaerial.reporting.folds import (
        Evaluation,
        fold_sources,
        pool_costs,
        pool_folds,
        pool_hours,
        pool_prediction_costs,
    )
    from mtlaerial.reporting.report import ReportInputs, write_report
    from mtlaerial.reporting.report.run_folders import dataset_maps, descriptions
    from mtlaerial.reporting.run_costs import prediction_costs, run_costs
    from mtlaerial.reporting.trainings import training_facts
    from mtlaerial.reporting.transfers import read_transfers
    from mtlaerial.scoring.scores_file import load_scores

    figures: list[Path] = []
    for path in map(Path, snakemake.input.figures):
        figures += sorted(path.glob("*.png")) if path.is_dir() else [path]
    scores = {Path(path).parent: load_scores(Path(path)) for path in snakemake.input.scores}
    runs_here = {folder: run for folder, run in scores.items() if not run.finished}
    costs = run_costs(runs_here, [Path(path) for path in snakemake.input.costs])
    of_predictions = prediction_costs(runs_here, [Path(path) for path in snakemake.input.prediction_costs])
    evaluations: dict[str, Evaluation] = {}
    for name, dataset in snakemake.params.decisive.items():
        evaluations[name] = Evaluation(folds=dataset["folds"], protocol=dataset["protocol"])
    folds = fold_sources(evaluations)
    own, transferred, elsewhere = (map(Path, snakemake.input[name]) for name in ("own", "transferred", "elsewhere"))
    inputs = ReportInputs(
        scores=pool_folds(list(scores.values()), evaluations),
        datasets={name: dataset_in(dataset).spec for name, dataset in snakemake.params.context.items()},
        figures=figures,
        checks=[Path(path) for path in snakemake.input.checks],
        maps=dataset_maps(
            runs_here, [Path(path) for path in snakemake.input.maps], folders(snakemake.input.tiles), folds
        ),
        described=descriptions(runs_here, folds),
        costs=pool_costs(costs, evaluations),
        prediction_costs=pool_prediction_costs(of_predictions, evaluations),
        hours=pool_hours(scores.values(), costs, evaluations),
        notes={name: dataset["notes"] for name, dataset in snakemake.params.decisive.items()},
        folds=folds,
        trainings=training_facts(runs_here, folds),
        ablations={name: dataset.get("steps", []) for name, dataset in snakemake.params.decisive.items()},
        margins={name: dataset["margin"] for name, dataset in snakemake.params.decisive.items()},
        curves=curves_in(snakemake.params.decisive),
        transfers=read_transfers(own, transferred, elsewhere, snakemake.params.transfers),
        command=snakemake.params.command,
    )
    write_report(inputs, Path(snakemake.output.page))

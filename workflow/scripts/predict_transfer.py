"""Predict the test tiles of another data set with a run."""

from pathlib import Path

from common import Job, folders, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.config import PredictionSpec
    from mtlaerial.pipeline.context_params import dataset_in
    from mtlaerial.system.gpu_locks import reserved_gpus
    from mtlaerial.system.openmp import wait_passively

    wait_passively()

    with reserved_gpus(snakemake.resources.gpu):
        from mtlaerial.pipeline.transfer import predict_elsewhere
        from mtlaerial.runs.cost import save_prediction_cost

        decisive, tested = snakemake.params.decisive, dataset_in(snakemake.params.context)
        prediction = PredictionSpec.parse(decisive["prediction"], "prediction")
        run, tiles = Path(snakemake.input.description).parent, folders(snakemake.input.tiles)
        out = Path(snakemake.output.maps)
        cost = predict_elsewhere(run, prediction, tested.name, tested.spec, decisive["codes"], tiles, out)
        save_prediction_cost(cost, Path(snakemake.output.cost))

"""Predict the test tiles of a run."""

from pathlib import Path

from common import Job, folders, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.config import PredictionSpec
    from mtlaerial.system.gpu_locks import reserved_gpus
    from mtlaerial.system.openmp import wait_passively

    wait_passively()

    with reserved_gpus(snakemake.resources.gpu):
        from mtlaerial.prediction.predictor import Predictor
        from mtlaerial.runs.cost import save_prediction_cost

        prediction = PredictionSpec.parse(snakemake.params.decisive["prediction"], "prediction")
        predictor = Predictor(Path(snakemake.input.description).parent, prediction)
        cost = predictor.predict_tiles(folders(snakemake.input.tiles), Path(snakemake.output.maps))
        save_prediction_cost(cost, Path(snakemake.output.cost))

"""Map sheets of a region."""

from pathlib import Path

from common import Job, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.config import PredictionSpec
    from mtlaerial.system.gpu_locks import reserved_gpus
    from mtlaerial.system.openmp import wait_passively

    wait_passively()

    with reserved_gpus(snakemake.resources.gpu):
        from mtlaerial.prediction.predictor import Predictor
        from mtlaerial.regions.mapping_job import map_sheets
        from mtlaerial.regions.region import Region
        from mtlaerial.regions.sheets import jobs_of

        predictor = Predictor(
            Path(snakemake.params.run), PredictionSpec.parse(snakemake.params.prediction, "prediction")
        )
        region = Region.load(Path(snakemake.input.region))
        sheets = jobs_of(region.sheets, snakemake.params.sheets_per_job)[int(snakemake.wildcards.job)]
        map_sheets(predictor, region, sheets, Path(snakemake.output[0]))

"""Calibrate a run on the validation tiles."""

from pathlib import Path

from common import Job, folders, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.config import PredictionSpec
    from mtlaerial.config.calibration import CalibrationSpec
    from mtlaerial.config.objects import ObjectsSpec
    from mtlaerial.system.gpu_locks import reserved_gpus
    from mtlaerial.system.openmp import wait_passively

    wait_passively()

    with reserved_gpus(snakemake.resources.gpu):
        from mtlaerial.pipeline.calibrate_run import calibrate_run

        decisive = snakemake.params.decisive
        spec = CalibrationSpec.parse(decisive["calibration"], "calibration")
        prediction = PredictionSpec.parse(decisive["prediction"], "prediction")
        objects = ObjectsSpec.parse(decisive["objects"], "objects") if "objects" in decisive else None
        run = Path(snakemake.output[0]).parent
        calibrate_run(run, folders(snakemake.input.tiles), spec, prediction, decisive["height_bins"], objects)

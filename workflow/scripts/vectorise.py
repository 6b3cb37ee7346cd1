"""Write the objects of a run's maps as polygons with heights."""

from pathlib import Path

from common import Job, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.config.consistency import rules_in
    from mtlaerial.config.objects import ObjectsSpec
    from mtlaerial.objects.vectorise import vectorise
    from mtlaerial.runs.calibration_file import load_calibration

    decisive = snakemake.params.decisive
    maps = [Path(snakemake.input.maps) / tile for tile in decisive["tiles"]]
    spec = ObjectsSpec.parse(decisive["objects"], "objects")
    out = Path(snakemake.output[0])
    calibration = load_calibration(out.parent) if snakemake.input.calibration else None
    intervals = calibration.objects if calibration else None
    vectorise(maps, out, spec, rules_in(decisive), calibration=intervals)

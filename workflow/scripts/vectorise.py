"""Write the objects of a run's maps as polygons with heights."""

from pathlib import Path

from common import Job, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.config.consistency import rules_in
    from mtlaerial.config.objects import ObjectsSpec
    from mtlaerial.objects.vectorise import vectorise

    decisive = snakemake.params.decisive
    maps = [Path(snakemake.input.maps) / tile for tile in decisive["tiles"]]
    spec = ObjectsSpec.parse(decisive["objects"], "objects")
    vectorise(maps, Path(snakemake.output[0]), spec, rules_in(decisive))

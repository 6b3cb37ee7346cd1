"""Write the objects of a region's maps as polygons with heights."""

from pathlib import Path

from common import Job, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.config.objects import ObjectsSpec
    from mtlaerial.objects.vectorise import vectorise

    out = Path(snakemake.output[0])
    vectorise([Path(snakemake.input.index).parent], out, ObjectsSpec.parse(snakemake.params.objects, "map.objects"))

"""Sum up a region's maps in polygons."""

from pathlib import Path

from common import Job, logged

snakemake: Job

if __name__ == "__main__":  # worker processes import this file too
    with logged(snakemake):
        from mtlaerial.zones.zonal_statistics import write_zonal_statistics

        objects = Path(snakemake.input.objects) if snakemake.input.objects else None
        maps, polygons = Path(snakemake.input.index).parent, Path(snakemake.input.polygons[0])
        outs = [Path(snakemake.output.table), Path(snakemake.output.csv)]
        write_zonal_statistics(maps, polygons, outs, objects, jobs=snakemake.threads)

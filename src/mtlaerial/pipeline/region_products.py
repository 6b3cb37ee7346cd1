"""Products of a region's maps: objects, and polygons with what is in them."""

from pathlib import Path

from mtlaerial.config.mapping import MapSpec
from mtlaerial.datasets.vector_file import require_plain
from mtlaerial.errors import ConfigError
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.metric_crs import require_metric_crs
from mtlaerial.runs.run import RunDescription


def require_products(spec: MapSpec, path: Path, grid: Grid, description: RunDescription) -> None:
    """Require that objects and polygons can be made of the maps, before the region is mapped.

    Parameters
    ----------
    spec : MapSpec
    path : Path
        File of the region, which errors name.
    grid : Grid
        Of the region.
    description : RunDescription
        The run that maps it.

    Raises
    ------
    UserError
        When the run does not map the classes, pixels have no area in square metres, a package is missing, or the
        polygons are no vector file.
    """
    if spec.objects is None and spec.polygons is None:
        return
    key = "map.objects" if spec.objects else "map.polygons"
    if "semantics" not in description.plan.tasks:
        observed = f"a run of {', '.join(description.plan.tasks)} alone"
        raise ConfigError(key, observed, "a run that maps classes", "Choose another run, or leave the key out.")
    require_metric_crs(path, grid)
    if spec.objects:
        names = [entry.name for entry in description.statistics.classes]
        if unknown := [name for name in spec.objects.classes if name not in names]:
            expected = f"classes of the run: {', '.join(names)}"
            raise ConfigError("map.objects.classes", ", ".join(unknown), expected, "Choose some of them.")
        if spec.objects.regularise:
            from mtlaerial.objects.regularise import require_regulariser  # which few plans need

            require_regulariser()
    if spec.polygons:
        from mtlaerial.zones.zonal_statistics import require_exactextract

        require_exactextract("map.polygons")
        require_plain(spec.polygons)

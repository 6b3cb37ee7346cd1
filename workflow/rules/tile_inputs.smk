# Input functions: raw files and prepared tiles.
def raw_files(wildcards):
    """Return the raw files of a tile; for a generated data set its mark.

    A file from an archive is replaced by the mark of the archive, also when the archive is gone: deleting it then
    prepares no tile again."""
    return raw_layers(wildcards.dataset, [wildcards.tile], PREPARED_LAYERS)


def raw_layers(name, tiles, layers):
    """Return the raw files of some layers of some tiles, or what stands for them."""
    entry = project.config.datasets[project.source(name)]
    if entry.generate:
        return f"{entry.root.as_posix()}/GENERATED.txt"
    dataset = project.dataset(name)
    files = [path for tile in tiles for layer in layers for path in dataset.files(layer, tile)]
    return list(dict.fromkeys(dataset.provided.get(path, path) for path in files))


def held_out_images(wildcards):
    """Return the raw images of the validation and test tiles."""
    return raw_layers(wildcards.dataset, tiles_of(wildcards.dataset, "val", "test"), ["image"])


def tile_files(*splits, layers=LAYERS):
    """Return an input function: the prepared layers of all tiles of some splits, and the records that verify them."""

    return lambda wildcards: files_of_tiles(wildcards.dataset, splits, layers)


def files_of_tiles(dataset, splits, layers=LAYERS):
    """Return the prepared layers of all tiles of some splits of a data set, and the records that verify them."""
    names, files = [*(f"{layer}.tif" for layer in layers), "tile.json"], []
    for tile in tiles_of(dataset, *splits):
        source = project.tile_source(dataset, tile)
        files += expand(f"{TILE}/{{name}}", dataset=source, tile=tile, name=names)
    return files


def tiles_of(dataset, *splits):
    """Return the tiles of some splits of a data set or a fold."""
    listed = project.datasets[dataset].spec.splits
    return [tile for split in splits for tile in listed.get(split, ())]


def checks_of(dataset, tiles):
    """Return the checks of tiles, which all folds of a data set share."""
    return expand(CHECK, dataset=project.source(dataset), tile=tiles)


def checked_splits(wildcards):
    """Return the check of a data set's splits or areas."""
    return expand("<results>/{dataset}/checks.json", dataset=project.source(wildcards.dataset))


def held_out_places(wildcards):
    """Return the file with the places of tiles held out, for a tile that a buffer keeps away from some."""
    held_out = held_out_of(project.dataset(wildcards.dataset), wildcards.tile)
    return "<results>/{dataset}/held_out.jsonl" if held_out else []

"""Make a generated data set."""

from pathlib import Path

from common import logged

with logged(snakemake.log[0]):
    from mtlaerial.config import load_dataset
    from mtlaerial.datasets.catalog import Dataset
    from mtlaerial.datasets.synthetic import synthesise

    dataset = Dataset("generated", load_dataset(Path(snakemake.params.spec)), Path(snakemake.wildcards.root))
    synthesise(dataset, **snakemake.params.generate)

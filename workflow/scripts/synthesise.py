"""Make a generated data set."""

from pathlib import Path

from common import logged

if __name__ == "__main__":  # worker processes read this file too
    with logged(snakemake.log[0]):
        from mtlaerial.config import load_dataset
        from mtlaerial.datasets.catalog import Dataset
        from mtlaerial.synthetic.generate import synthesise

        root = Path(snakemake.wildcards.root)
        dataset = Dataset(root.name, load_dataset(Path(snakemake.params.spec)), root)
        synthesise(dataset, **snakemake.params.generate, jobs=snakemake.threads)

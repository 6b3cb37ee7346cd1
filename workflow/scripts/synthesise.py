"""Generate a data set."""

from common import Job, logged

snakemake: Job

if __name__ == "__main__":  # worker processes import this file too
    with logged(snakemake):
        from mtlaerial.pipeline.context_params import dataset_in
        from mtlaerial.synthetic.generate import synthesise

        dataset = dataset_in(snakemake.params.context)
        synthesise(dataset, **snakemake.params.decisive["generate"], jobs=snakemake.threads)

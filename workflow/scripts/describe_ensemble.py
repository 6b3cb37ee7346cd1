"""Describe an ensemble: its members, by path and hash."""

from pathlib import Path

from common import Job, logged

snakemake: Job

with logged(snakemake):
    from mtlaerial.runs.ensemble import save_ensemble
    from mtlaerial.runs.ensemble_file import EnsemblePlan

    plan = EnsemblePlan.parse(snakemake.params.decisive["plan"], "plan")
    runs = [Path(path).parent for path in snakemake.input.descriptions]
    save_ensemble(Path(snakemake.output[0]).parent, plan, runs)

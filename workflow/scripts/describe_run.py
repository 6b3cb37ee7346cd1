"""Describe a trained run."""

from pathlib import Path

from common import logged

with logged(snakemake.log[0]):
    from mtlaerial.runs import RunPlan, describe_again
    from mtlaerial.statistics import load_statistics

    plan = RunPlan.parse(snakemake.params.plan, "plan")
    statistics = load_statistics(Path(snakemake.input.statistics))
    describe_again(Path(snakemake.output[0]).parent, plan, statistics)

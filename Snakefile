# Semantics and height from aerial images: from raw downloads to tables. The rules follow the data:
# datasets -> checks -> tiles -> statistics -> runs -> maps -> scores -> tables, figures, report.
import re

from mtlaerial.config.configuration_files import default_configuration
from snakemake.utils import min_version

min_version("9.27")


# Of the working directory, else the one beside this file.
configfile: default_configuration()


# Of `snakemake --report`.
report: "workflow/report/workflow.rst"


# Used only with --software-deployment-method apptainer; build it first from envs/Containerfile.
container: "docker://ghcr.io/mtlaerial/mtlaerial:0.1.0"


include: "workflow/rules/common.smk"
include: "workflow/rules/tile_inputs.smk"
include: "workflow/rules/run_inputs.smk"
include: "workflow/rules/targets.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/pretrained.smk"
include: "workflow/rules/rates.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/predict.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/transfer.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/finished.smk"
include: "workflow/rules/map.smk"


# After the rules: constraints do not reach wildcards of pathvars that are resolved later (Snakemake 9.27).
wildcard_constraints:
    dataset="|".join(map(re.escape, sorted({*project.datasets, *project.sources}))),
    method="|".join(sorted({method for _, method in project.runs() + project.trainings()})),
    seed=r"\d+",
    tested="|".join(map(re.escape, sorted(project.sources))),
    tile=r"[^/]+",


rule all:
    default_target: True
    input:
        wanted,
    localrule: True
    message:
        f"Tables, figures and report are in {project.config.results}"


rule rows:
    input:
        kept_rows,
    localrule: True
    message:
        f"Finished rows are in {project.config.finished}"


rule map:
    input:
        mapped_region,
    localrule: True
    message:
        f"Maps of the region are in {project.config.results}/map"

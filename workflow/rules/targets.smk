# What the target rules ask for, and what is said before the work.
def figure_files(wildcards):
    """Return the figures of the selection: the positions of the tiles, a folder for each method, and curves."""
    layouts = expand(f"{FIGURES}/tiles.png", dataset=project.datasets)
    for dataset in project.datasets:
        methods = [method for method in project.methods(dataset) if seeds_here(dataset, method)]
        layouts += expand(f"{FIGURES}/{{method}}", dataset=dataset, method=methods)
    if project.config.run.label_efficiency:
        layouts += expand(f"{FIGURES}/label_efficiency.png", dataset=project.sources)
    return layouts + expand(f"{FIGURES}/tradeoff.png", dataset=tradeoffs(project))


def object_files():
    """Return the objects of every selected run that is made here, where they are configured."""
    return [path for run in project.runs() if has_objects(project, *run) for path in files_of(run, "objects.gpkg")]


def wanted(wildcards):
    """Return the final files; exit with a message on wrong options of weightings, missing raw files, or runs that
    could not be scored."""
    # SciPy takes a quarter of a second to import; jobs, which read this file too, need none.
    from mtlaerial.pipeline.ground_notes import project_ground_notes
    from mtlaerial.pipeline.power_notes import power_notes

    try:
        project.check_weightings()
        check_starts(project)
        if missing := project.missing():
            sys.exit("\n\n".join([missing, *([summary()] if workflow.dryrun else [])]))
        end_with_summary()
        require_scored(project)
    except UserError as error:
        sys.exit(str(error))
    sources = project.sources
    predictions = [note for name in sources for note in [*ensemble_notes(project, name), *view_notes(project, name)]]
    predictions += [note for name in sources for note in calibration_notes(project, name)]
    predictions += [note for name in sources for note in object_notes(project, name)]
    predictions += project_ground_notes(project)
    comparisons = [*unscored_notes(project), *power_notes(project)]
    for note in [*project.notes(), *dict.fromkeys(predictions), *comparisons, *ROWS.notes]:
        logger.warning(note)
    tables = ["<results>/tables", *(["<results>/transfer"] if project.config.run.transfer else [])]
    return [*tables, "<results>/report.html", *figure_files(wildcards), *object_files()]


def summary(planned=None):
    """Return what a run would train: what is planned, or else what is not done."""
    from mtlaerial.pipeline.plan_summary import plan_summary  # which no job needs

    return plan_summary(project, ROWS.taken, planned)


@functools.cache
def end_with_summary():
    """Let a dry run end with a summary of what it would train; Snakemake calls no handlers in one."""

    def show():
        if workflow.scheduler:  # the plan is complete
            jobs = [job for job in workflow.dag.needrun_jobs(exclude_finished=False) if job.rule.name == "train"]
            planned = {(job.wildcards.dataset, job.wildcards.method, int(job.wildcards.seed)) for job in jobs}
            print(summary(planned), file=sys.stderr)

    if workflow.dryrun:
        atexit.register(show)


def kept_rows(wildcards):
    """Return the rows of the runs that are made here; exit with a message where the configuration has no folder."""
    end_with_summary()
    if not ROW:
        sys.exit(
            "finished: found nothing; expected a folder for finished rows. State one: --config finished=docs/data/NAME."
        )
    return [path for run in ROWS.kept for path in expand(ROW, **run._asdict())]


def mapped_region(wildcards):
    """Return the index of the mapped region, its objects and polygons; exit with a message without configuration."""
    if not project.config.map:
        sys.exit("map: found no such section; expected a run and images to map. Take config/map.yaml as an example.")
    products = [("objects.gpkg", project.config.map.objects), ("polygons.gpkg", project.config.map.polygons)]
    return [f"{MAP}/collection.json", *(f"{MAP}/{name}" for name, wanted in products if wanted)]

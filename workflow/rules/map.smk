# Maps of a region by sheets, several in each job: the target `map`, where the configuration has a section `map`. The region
# is planned while this file is read, since all jobs must be known then, by Snakemake's main process alone. The plan is kept
# in a file, which scripts read; that of a dry run is temporary where it differs.
MAP = "<results>/map"

if project.config.map:
    import tempfile

    from mtlaerial.datasets.vector_file import part_versions, vector_parts
    from mtlaerial.pipeline.region_run import RegionRun
    from mtlaerial.regions.region_summary import RegionSummary
    from mtlaerial.regions.sheets import number_of_jobs

    REGION = project.config.results / "map/region.json"
    try:
        if workflow.is_main_process:
            from mtlaerial.pipeline.region_plan import plan_of_dry_run, planned_region

            if workflow.output_settings.dryrun:  # `workflow.dryrun` is False while this file is read (Snakemake 9.27)
                DRY_RUN = tempfile.TemporaryDirectory(prefix="mtlaerial-")
                REGION = plan_of_dry_run(project.config.map, REGION, Path(DRY_RUN.name))
            else:
                planned_region(project.config.map, REGION)
        mapper = RegionRun.of(project.config.map)
    except UserError as error:
        raise WorkflowError(str(error)) from None

    rule map_sheets:
        input:
            region=REGION.as_posix(),
        output:
            f"{MAP}/jobs/{{job}}.json",
        log:
            "<logs>/map_sheets/{job}.log",
        benchmark:
            "<benchmarks>/map_sheets/{job}.tsv"
        threads: mapper.threads
        resources:
            mem_mb=growing(5000),
            runtime=720,
            gpu=int(mapper.uses_gpu),
            cpus_per_gpu=mapper.threads + 2,
            tasks_per_gpu=0,
        params:
            # No input: a run among these results would be trained anew before it maps, once one of its tiles is newer.
            run=mapper.folder,
            run_id=mapper.identity,
            prediction=mapper.prediction.model_dump(mode="json"),
            sheets_per_job=project.config.map.sheets_per_job,
        message:
            "Mapping sheets, job {wildcards.job}"
        script:
            "../scripts/map_sheets.py"

    rule index_sheets:
        input:
            region=REGION.as_posix(),
            jobs=lambda wildcards: expand(
                f"{MAP}/jobs/{{job}}.json",
                job=range(
                    number_of_jobs(
                        RegionSummary.load(REGION).sheets,
                        project.config.map.sheets_per_job,
                    )
                ),
            ),
        output:
            f"{MAP}/collection.json",
        log:
            "<logs>/index_sheets.log",
        benchmark:
            "<benchmarks>/index_sheets.tsv"
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=60,
            gpu=0,
        params:
            run=mapper.description.name,
        message:
            "Indexing the sheets of the region"
        script:
            "../scripts/index_sheets.py"

    rule vectorise_region:
        input:
            index=f"{MAP}/collection.json",
        output:
            f"{MAP}/objects.gpkg",
        log:
            "<logs>/vectorise_region.log",
        benchmark:
            "<benchmarks>/vectorise_region.tsv"
        threads: 1
        resources:
            mem_mb=growing(8000),
            runtime=1440,
            gpu=0,
        params:
            objects=project.config.map.objects and project.config.map.objects.model_dump(mode="json"),
        message:
            "Making polygons of the region's objects"
        script:
            "../scripts/vectorise_region.py"

    rule sum_up_polygons:
        input:
            index=f"{MAP}/collection.json",
            polygons=vector_parts(project.config.map.polygons) if project.config.map.polygons else [],
            objects=f"{MAP}/objects.gpkg" if project.config.map.objects else [],
        output:
            table=f"{MAP}/polygons.gpkg",
            csv=f"{MAP}/polygons.csv",
        log:
            "<logs>/sum_up_polygons.log",
        benchmark:
            "<benchmarks>/sum_up_polygons.tsv"
        threads: 8
        resources:
            mem_mb=growing(8000),
            runtime=1440,
            gpu=0,
        params:
            # Snakemake itself notices only files that are newer than the results.
            polygons=project.config.map.polygons and part_versions(project.config.map.polygons),
        message:
            "Summing up the region's maps in polygons"
        script:
            "../scripts/sum_up_polygons.py"

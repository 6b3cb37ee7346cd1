# Input functions: files of runs.
def pretrained_weights(wildcards):
    """Return the initial weights of a training; none if they are random."""
    start = start_of(project, wildcards.method)
    # A run's description is no `ancient` input: that would hide changed params from a plan that writes it anew.
    return [path.as_posix() for path in start.inputs] if start else []


def training_rate(wildcards):
    """Return the rate by which the budget of a training becomes a number of updates; none without a budget."""
    budget = project.recipe(wildcards.dataset, wildcards.method).training.budget
    if budget is None:
        return []
    return budget.rate.as_posix() if budget.rate else RATE


def trained_file(name):
    """Return an input function: a file of the run whose weights a method uses."""

    def file(wildcards):
        trained = project.weights_of(wildcards.dataset, wildcards.method)
        (path,) = expand(f"{RUN}/{name}", dataset=wildcards.dataset, method=trained, seed=wildcards.seed)
        return path

    return file


def network_files(name):
    """Return an input function: a file of the run; of an ensemble, of each of its members."""

    def files(wildcards):
        dataset, method, seed = wildcards.dataset, wildcards.method, int(wildcards.seed)
        runs = project.source_runs(dataset, method, seed) if is_ensemble(method) else [(method, seed)]
        return [path for member, number in runs for path in run_file(dataset, member, number, name)]

    return files


def run_file(dataset, method, seed, name):
    return expand(f"{RUN}/{name}", dataset=dataset, method=method, seed=seed)


def is_ensemble(method):
    return project.config.methods[method].ensemble is not None


def seeds_here(dataset, method):
    """Return the seeds of a method whose runs are made here; those of finished rows are not."""
    return [seed for seed in project.config.seeds(method) if (dataset, method, seed) not in ROWS.taken]


def run_files(name, most=None):
    """Return an input function: a file of each run of a method that is made here, or of the first of them."""
    return lambda w: run_file(w.dataset, w.method, seeds_here(w.dataset, w.method)[:most], name)


def histories(wildcards):
    """Return the history of each run of a method; an ensemble has none."""
    return [] if is_ensemble(wildcards.method) else run_files("history.csv")(wildcards)


def run_history(wildcards):
    """Return the history of a run's training; an ensemble has none."""
    return [] if is_ensemble(wildcards.method) else "<run>/history.csv"


def run_calibration(wildcards):
    """Return the calibration of a run; none where it is not configured, or there are no validation tiles."""
    return "<run>/calibration.json" if is_calibrated(project, wildcards.dataset) else []


def run_objects(wildcards):
    """Return the objects of a run's maps; none where they are not configured."""
    return "<run>/objects.gpkg" if has_objects(project, wildcards.dataset, wildcards.method) else []


def models_of_seeds(wildcards):
    """Return the weights of each run of a method; those of an ensemble are its members'."""
    dataset, method = wildcards.dataset, wildcards.method
    if not is_ensemble(method):
        return run_files("model.safetensors")(wildcards)
    runs = [run for seed in seeds_here(dataset, method) for run in project.source_runs(dataset, method, seed)]
    return [path for run in runs for path in run_file(dataset, *run, "model.safetensors")]


def files_of(run, name):
    """Return a file of each run of a data set with a method that is made here, one per seed."""
    dataset, method = run
    return run_file(dataset, method, seeds_here(dataset, method), name)


def score_files(wildcards):
    """Return the scores of every selected run, those of finished rows too; with a data set those on it."""
    paths = []
    chosen = wildcards.get("dataset")
    for dataset, method in project.runs():
        if chosen and project.source(dataset) != chosen:
            continue
        paths += scores_of(dataset, method)
    return paths


def scores_of(dataset, method):
    """Return the scores of a method's runs on a data set, those of finished rows too."""
    paths = []
    for seed in project.config.seeds(method):
        place = FINISHED if (dataset, method, seed) in ROWS.taken else f"{RUN}/scores.json"
        paths += expand(place, dataset=dataset, method=method, seed=seed)
    return paths


def description_files(wildcards):
    """Return the description of every selected run that is made here."""
    return [path for run in project.runs() for path in files_of(run, "run.yaml")]


def cost_files(wildcards):
    """Return the costs of the trainings of selected methods and of members, for the runs that are made here."""
    trained, paths = set(project.trainings()), []
    for dataset, method in project.runs():
        for seed in seeds_here(dataset, method):
            runs = project.source_runs(dataset, method, seed) if is_ensemble(method) else [(method, seed)]
            shown = [run for run in runs if (dataset, run[0]) in trained]
            paths += [path for run in shown for path in run_file(dataset, *run, "cost.json")]
    return list(dict.fromkeys(paths))


def prediction_cost_files(wildcards):
    """Return the costs of the predictions of every selected run that is made here."""
    return [path for run in project.runs() for path in files_of(run, "prediction_cost.json")]


def maps_of_methods(wildcards):
    """Return the maps of the first seed of each selected method and fold that is made here."""
    return [path for run in project.runs() for path in files_of(run, "maps")[:1]]


def tested_tiles(wildcards):
    """Return the prepared test tiles of the methods that are made here."""
    datasets = dict.fromkeys(dataset for dataset, method in project.runs() if seeds_here(dataset, method))
    paths = [path for dataset in datasets for path in files_of_tiles(dataset, ["test"])]
    return list(dict.fromkeys(paths))


def tested_scores(wildcards):
    """Return the scores of the runs on each data set that runs of others are tested on."""
    runs = [run for run in project.runs() if run[0] in tested_sets(project)]
    return [path for dataset, method in runs for path in scores_of(dataset, method)]


def transfer_files(name):
    """Return an input function: a file of each run that is tested on another data set, if it is made here."""

    def files(wildcards):
        return [
            path
            for run in transferred_methods(project)
            for path in expand(f"{ELSEWHERE}/{name}", **run._asdict(), seed=seeds_here(run.dataset, run.method))
        ]

    return files


def cost_of_training(wildcards):
    """Return the cost of a run's training; none for another prediction of one, and for an ensemble."""
    return "<run>/cost.json" if (wildcards.dataset, wildcards.method) in project.trainings() else []

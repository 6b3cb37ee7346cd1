"""Commands that train, show trainings' states, and compare settings, weightings and designs."""

from pathlib import Path
from typing import Annotated

import typer

from mtlaerial.cli.options import Configs, Recipe, Root, Settings, Spec, configuration_keys
from mtlaerial.system import ranks

commands = typer.Typer()
_STATUS_REMEDY = (
    "change to a project's folder, begin one with mtlaerial init, or name its configuration with --config FILE; "
    "mtlaerial describe RUN_DIR shows a single run."
)


@commands.command()
def train(
    spec: Spec,
    root: Root,
    out: Annotated[Path, typer.Option(help="The run's folder.")],
    config: Configs = None,
    recipe: Recipe = None,
    settings: Settings = None,
    method: Annotated[str, typer.Option(help="A method of the configuration.")] = "equal",
    seed: Annotated[int, typer.Option(help="What initial weights and patches are drawn by.", min=0, max=2**31 - 1)] = 0,
    area: Annotated[str | None, typer.Option(help="Of a data set with areas: the one to leave out.")] = None,
    tiles: Annotated[
        Path | None, typer.Option(help="Folder of prepared tiles, shared between runs; else the run has its own.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the finished run of another training.")] = False,
) -> None:
    """Train one run without Snakemake: check, prepare, summarise, train. A killed training goes on where it was.

    Where the folder holds this run, finished, nothing is done.

    Example: `mtlaerial train my_town.yaml --root DIR --out runs/first --recipe compact --set training.epochs=2`

    In several processes: `torchrun --nproc-per-node 2 -m mtlaerial train ...`
    """
    from mtlaerial.pipeline.single_run import SingleRun, train_single

    keys = configuration_keys("--set", settings or [])
    train_single(SingleRun(spec, root, out, config or (), method, seed, area, tiles, replace, recipe, keys))
    if ranks.rank() == 0:
        typer.echo(f"Trained run in {out}; describe it with: mtlaerial describe {out}")


@commands.command()
def status(
    config: Configs = None,
    recipe: Recipe = None,
    settings: Settings = None,
    lines: Annotated[int, typer.Option(help="Lines to show of the log of each training that is not done.", min=0)] = 0,
) -> None:
    """Say of each training whether it is done, taken as a row, damaged, running, interrupted, failed or waiting.

    The trainings are those that a project's configuration selects.

    Example: `mtlaerial status --config config/config.yaml --lines 3`
    """
    from mtlaerial.config import load_project
    from mtlaerial.config.configuration_files import DEFAULT, configuration_files, shipped_configuration
    from mtlaerial.pipeline.finished_rows import taken_runs
    from mtlaerial.runs.status import has_results, selection_text, status_text, training_states

    selected = config or recipe or settings or DEFAULT.exists()
    if not selected and not has_results(load_project(shipped_configuration())):
        typer.echo(f"No trainings here, as there is no {DEFAULT}, nor results of the shipped one: {_STATUS_REMEDY}")
        return
    configs, keys = configuration_files(config or ()), configuration_keys("--set", settings or [])
    project = load_project(*configs, recipe=recipe, settings=keys)
    typer.echo(status_text(list(training_states(project, taken_runs(configs, recipe, keys))), lines))
    if notes := selection_text(project):
        typer.echo(notes)


@commands.command()
def probe(
    config: Configs = None,
    recipe: Recipe = None,
    settings: Settings = None,
    method: Annotated[str, typer.Option(help="A method of the configuration.")] = "equal",
    compile: Annotated[bool, typer.Option("--compile", help="Try torch.compile too, which takes minutes.")] = False,
    json: Annotated[Path | None, typer.Option(help="Also write what was measured to this file.")] = None,
) -> None:
    """Measure training steps on this machine, on generated patches, and propose precision, threads and more.

    Nothing is changed: the lines that it proposes are for you to copy into the configuration.

    Example: `mtlaerial probe --config config/config.yaml --method equal --compile`
    """
    from mtlaerial.probe import planned
    from mtlaerial.probe import probe as measure
    from mtlaerial.probe.table import probed_text
    from mtlaerial.system.files import require_place, write_text

    if json:
        require_place(json)
    keys = configuration_keys("--set", settings or [])
    probed = measure(planned(config or (), method, recipe, keys), compile)
    typer.echo(probed_text(probed))
    if json:
        write_text(json, probed.model_dump_json(indent=1))


@commands.command()
def weightings(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="One of them, to be explained with its options.")
    ] = None,
) -> None:
    """List the task weightings: family, level, citation, cost; or explain one.

    Example: `mtlaerial weightings cagrad`
    """
    from mtlaerial.cli.plain_text import plain_text
    from mtlaerial.weighting.listing import explain_weighting, list_weightings

    typer.echo(plain_text(explain_weighting(name)) if name else list_weightings())


@commands.command()
def power(
    seeds: Annotated[int, typer.Option(help="Seeds of each method.", min=1, max=64)],
    tiles: Annotated[int, typer.Option(help="Test tiles, of all folds together.", min=1, max=100_000)],
    comparisons: Annotated[
        int, typer.Option(help="Methods that are compared with one baseline.", min=1, max=1_000)
    ] = 1,
    effect: Annotated[
        float | None, typer.Option(help="An effect to be detected, e.g. 0.05: say how many seeds.", min=1e-6, max=1.0)
    ] = None,
    pilot: Annotated[
        list[Path] | None, typer.Option(help="Scores or finished rows of earlier runs, or a folder of them.")
    ] = None,
) -> None:
    """Say what effects a comparison of methods can detect, before anything is trained.

    Without a pilot the default deviations of `run.comparison.noise` are assumed.

    Example: `mtlaerial power --seeds 8 --tiles 20 --comparisons 4 --effect 0.05 --pilot docs/data/my_study`
    """
    from mtlaerial.config.comparison import NoiseSpec
    from mtlaerial.reporting.inference.design_text import design_text
    from mtlaerial.reporting.inference.power import Design

    noise, source = NoiseSpec(), "assumed"
    if pilot:
        from mtlaerial.pipeline.pilot import pilot_noise

        noise, number = pilot_noise(pilot)
        source = f"of {number} differences of earlier runs"
    typer.echo(design_text(Design(seeds, tiles, comparisons), noise, source, effect))


@commands.command()
def networks() -> None:
    """List the encoders and decoders of networks, with their parameters and operations.

    Example: `mtlaerial networks`
    """
    from mtlaerial.models.network_listing import list_networks

    typer.echo(list_networks())

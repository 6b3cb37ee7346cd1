"""Weights that a training begins with: their loading, and the record of their origin."""

from typing import Any

from mtlaerial.config.start import StartSpec
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.models import Network
from mtlaerial.models.published.loading import load_encoder
from mtlaerial.models.published.weights_file import read_encoder_weights, read_facts
from mtlaerial.runs.initial_weights import decisive_facts, load_initial_weights, run_start
from mtlaerial.runs.run import load_description
from mtlaerial.runs.seen_ground import ancestors, ground_notes, prepared_tiles
from mtlaerial.runs.start import StartRecord, is_run
from mtlaerial.system.hashing import file_hashes
from mtlaerial.training.job import TrainingJob


def load_start(network: Network, job: TrainingJob) -> None:
    """Give a network the weights that its training begins with, in place.

    Raises
    ------
    ConfigError
        When they are of another encoder or of other sizes, do not know a band of the image, or lack a part.
    DataError
        When their file is missing or damaged, or belongs to another network.
    """
    assert job.pretrained is not None
    if is_run(job.pretrained):
        load_initial_weights(job.pretrained, network, job.plan, job.statistics)
        return
    weights = read_encoder_weights(job.pretrained, job.plan.model.encoder_name)
    if job.start and job.start.sha256 != weights.facts.sha256:  # else the run would record weights that it never had
        problem = f"weights of a file with the SHA-256 {weights.facts.sha256[:12]}…"
        expected = f"{job.start.sha256[:12]}…, as pretrained.{job.start.name} states"
        raise DataError(job.pretrained, problem, expected, "Delete it and give the same command again.")
    load_encoder(network, weights, [band.name for band in job.statistics.bands], _spec(job).new_bands)


def start_record(job: TrainingJob) -> StartRecord | None:
    """Return the origin of the weights that a training begins with; None for random ones.

    Raises
    ------
    ConfigError, DataError
        When their file is missing or damaged.
    """
    if job.start or job.pretrained is None:
        return job.start
    if is_run(job.pretrained):
        return run_start(load_description(job.pretrained), _spec(job).parts)
    facts, spec = read_facts(job.pretrained), _spec(job)
    described = (
        facts.model_dump(include={"name", "encoder", "sha256", "licence", "source"})
        if facts
        else {
            "name": job.pretrained.name,
            "encoder": job.plan.model.encoder_name,
            "sha256": file_hashes(job.pretrained, "sha256")["sha256"],
        }
    )
    return StartRecord(kind="file", parts=spec.parts, **described)


def validation_notes(job: TrainingJob, start: StartRecord | None) -> tuple[str, ...]:
    """Return sentences on validation tiles on ground that runs were trained on with which a training begins.

    Raises
    ------
    DataError
        When the image of a tile cannot be read.
    """
    runs = ancestors(start)
    if not runs or not job.validation_tiles or job.statistics.generated:
        return ()
    tiles = prepared_tiles(job.validation_tiles, job.plan.dataset, "validation")
    return tuple(ground_notes(job.plan.method, runs, tiles))


def start_fingerprint(job: TrainingJob) -> Any:
    """Return plain data that changes with the weights that a training begins with; None for random ones.

    Raises
    ------
    ConfigError, DataError
        When they are missing or damaged, or the run to start from is the one that is trained.
    """
    path = job.pretrained
    if path is None:
        return None
    if not is_run(path):
        return file_hashes(path, "sha256")
    if path.resolve() == job.folder.resolve():
        remedy = "Choose another folder for the new run."
        raise ConfigError("pretrained.source", f"{path}, the run that is trained", "the folder of another run", remedy)
    return decisive_facts(load_description(path))


def _spec(job: TrainingJob) -> StartSpec:
    """Return how the weights are to be taken: as configured, or else by default."""
    return job.plan.model.start or StartSpec(source=str(job.pretrained))

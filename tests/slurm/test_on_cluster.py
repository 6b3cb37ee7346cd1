"""The whole workflow through SLURM: as on one machine, and no more trainings at once than there are GPUs."""

from pathlib import Path

import pytest
import yaml

from support.cluster import Cluster
from support.on_cluster import OnCluster, at_once, jobs_of, moment, overlay_of, trainings
from support.workplace import Workplace

pytestmark = pytest.mark.slurm


def test_the_whole_workflow(cluster: Cluster, overlay: Path, folder: Path, tmp_path: Path) -> None:
    """``--overlay config/demo.yaml`` runs the whole demo."""
    place = OnCluster(folder, overlay_of(tmp_path / "overlay.yaml", {"run": {"seeds": [0, 1]}}, overlay))
    local = Workplace(place.folder).copy(tmp_path / "local")
    place.finish(place.start(), 3600)
    done = local.run(timeout=3600)
    assert done.returncode == 0, done.stdout
    assert place.results() == local.results()
    jobs = jobs_of(cluster, place)
    assert {job["JobState"] for job in jobs} == {"COMPLETED"}
    assert {job["Partition"] for job in jobs} == {"mapping"}  # by the user's profile
    assert {job["Requeue"] for job in jobs} == {"1"}  # by the repository's
    trained = trainings(jobs)
    assert len(trained) == 2 * len(yaml.safe_load(overlay.read_text())["run"]["methods"])
    assert {job["TresPerJob"] for job in trained} == {"gres:gpu:1"}
    assert {(job["TimeLimit"], job["MinMemoryNode"]) for job in trained} == {("1-00:00:00", "12000M")}
    assert all(job.get("NtasksPerTRES", "0") == "0" for job in trained)
    assert not at_once(trained)
    first_end = min(moment(job, "EndTime") for job in trained)
    assert max(moment(job, "SubmitTime") for job in trained) < first_end
    assert at_once([job for job in jobs if "gpu" not in job.get("TresPerJob", "")])

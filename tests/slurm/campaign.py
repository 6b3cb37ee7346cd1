"""Break jobs of a SLURM cluster at random moments, and compare the results with those of an unbroken run.

``python tests/slurm/campaign.py scancel network --times 10``, by root on a machine to spare. With ``--map`` the jobs
map a region, and ``stuck`` is a controller that does not answer. All results but logs and timings are compared byte for
byte.
Exit code 1 on any difference.
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from support.cluster import Cluster, NoCluster, running_cluster
from support.cluster_faults import LOSSES, Unbroken, suffer
from support.map_on_cluster import MAP_LOSSES, UnbrokenMap, stop_scheduler, suffer_mapping
from support.on_cluster import OnCluster
from support.workplace import differences

STUCK = "stuck"


def main() -> int:
    """Break the jobs as asked; print the outcome of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("losses", nargs="+", choices=[*LOSSES, STUCK])
    parser.add_argument("--map", action="store_true", help="of jobs that map a region")
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder, running_cluster(Path(folder) / "cluster") as cluster:
            unbroken = UnbrokenMap(Path(folder)) if options.map else Unbroken(Path(folder))
            moments = random.Random(options.seed)
            wrong = [repeat(name, options.times, cluster, unbroken, moments) for name in options.losses]
    except NoCluster as error:
        sys.exit(str(error))
    return int(any(wrong))


def repeat(name: str, times: int, cluster: Cluster, unbroken: Unbroken | UnbrokenMap, moments: random.Random) -> int:
    """Inject a loss so many times, each into a workflow of its own; return the number of different results."""
    different = 0
    for number in range(1, times + 1):
        place = unbroken.prepared.copy(unbroken.prepared.folder.with_name(f"{name}{number}"))
        if isinstance(unbroken, Unbroken):
            outcome = told(suffer(LOSSES[name], cluster, place, moments), place)
        elif name == STUCK:
            outcome = f"named after {stop_scheduler(cluster, place, moments):.0f} s"
        else:
            job = suffer_mapping(MAP_LOSSES[name], cluster, place, moments)
            outcome = f"{job['JobState']}, restarts {job['Restarts']}"
        wrong = differences(unbroken.expected, place.results())
        different += len(wrong)
        print(f"{name} {number}: {outcome}; {len(wrong)} differences {' '.join(wrong)}", flush=True)
        place.remove()
    print(f"{name}: {times} times, {different} differences", flush=True)
    return different


def told(job: dict[str, str], place: OnCluster) -> str:
    """Return the state of the broken job, and the steps at which the training saved its state and resumed."""
    stored, gone_on = (" ".join(map(str, steps)) or "-" for steps in (place.kept(), place.gone_on()))
    return f"{job['JobState']}, restarts {job['Restarts']}, kept after step {stored}, went on after step {gone_on}"


if __name__ == "__main__":
    sys.exit(main())

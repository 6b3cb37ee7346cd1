"""A long run of a fuzzing target: ``python tests/fuzz/campaign.py checkpoints --count 20000``.

Cases follow from their numbers. Inputs of faults are written to ``results/fuzz``; those that are mended go to
``tests/fuzz/kept/TARGET``, which every run begins with.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # tests, for the workers too

from support.fuzzing import fuzz, summary


def main() -> int:
    """Run the cases, print a summary, and return 1 if there were faults."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", help="a module of tests/fuzz, such as checkpoints")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    parser.add_argument("--faults", type=Path, default=Path("results/fuzz"))
    options = parser.parse_args()
    kept = sorted((Path(__file__).parent / "kept" / options.target).glob("*"))
    begin = time.monotonic()
    outcomes = fuzz(options.target, range(options.first, options.first + options.count), options.faults, kept)
    print(f"{options.target}: {summary(outcomes)}\n{time.monotonic() - begin:.0f} s")
    return int(any(outcome.faulty for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())

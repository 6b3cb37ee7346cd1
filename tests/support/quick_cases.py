"""Parametrised tests of which the quick tier has some cases only."""

from collections import defaultdict

import pytest


def leave_cases_to_the_full_tier(items: list[pytest.Item]) -> None:
    """Mark the cases of tests with ``@pytest.mark.quick_cases(number, why)`` as full, but for so many of them."""
    tests: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("quick_cases"):
            tests[item.nodeid.partition("[")[0]].append(item)
    for cases in tests.values():
        number, why = cases[0].get_closest_marker("quick_cases").args  # type: ignore[union-attr]
        kept = {len(cases) * place // number for place in range(number)}
        for index, case in enumerate(cases):
            if index not in kept:
                case.add_marker(pytest.mark.full(why))

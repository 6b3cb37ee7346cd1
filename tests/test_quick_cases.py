"""Cases of parametrised tests that only the full tier has."""

import pytest


@pytest.mark.quick_cases(2, "an example")
@pytest.mark.parametrize("case", range(5))
def test_so_many_cases_are_in_the_quick_tier(case: int, request: pytest.FixtureRequest) -> None:
    cases = [item for item in request.session.items if item.nodeid.startswith(request.node.nodeid.partition("[")[0])]
    quick = [item.callspec.params["case"] for item in cases if item.get_closest_marker("full") is None]  # type: ignore[attr-defined]
    assert quick == [0, 2]
    assert (request.node.get_closest_marker("full") is None) == (case in quick)

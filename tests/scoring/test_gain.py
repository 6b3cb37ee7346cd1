"""Gain over single-task baselines."""

import numpy as np
import pytest

from mtlaerial.scoring.gain import delta_m


def test_delta_m_is_the_mean_gain_in_the_direction_of_better() -> None:
    single = {"mIoU": 0.5, "MAE": 2.0}
    assert delta_m({"mIoU": 0.6, "MAE": 1.5}, single, ("mIoU", "MAE")) == pytest.approx((0.2 + 0.25) / 2)
    assert delta_m({"mIoU": 0.4, "MAE": 2.0}, single, ("mIoU", "MAE")) == pytest.approx(-0.1)
    assert delta_m({"MAE": 3.0}, single, ("mIoU", "MAE")) == pytest.approx(-0.5)
    assert np.isnan(delta_m({}, single, ("mIoU", "MAE")))

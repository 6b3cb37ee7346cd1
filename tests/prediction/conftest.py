"""Maps of an image of the generated city."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mtlaerial.datasets.catalog import Dataset
from support.without_torch import require_torch

if TYPE_CHECKING:
    from mtlaerial.prediction.predictor import Predictor


@pytest.fixture(scope="session")
def predictor(run_folder: Path) -> "Predictor":
    require_torch()
    from mtlaerial.prediction.predictor import Predictor
    from support.predictions import SPEC

    return Predictor(run_folder, SPEC)


@pytest.fixture(scope="session")
def image(city: Dataset) -> Path:
    return city.files("image", "city_4")[0]


@pytest.fixture(scope="session")
def maps(predictor: "Predictor", image: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the image's maps; not to be written to."""
    folder = tmp_path_factory.mktemp("maps")
    predictor.predict_image(image, folder)
    return folder

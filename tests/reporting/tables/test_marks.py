"""Marks of methods that are trained otherwise than most of a table."""

from mtlaerial.config import D3NetSpec, EncoderDecoderSpec, PredictionSpec, TrainingSpec
from mtlaerial.reporting.tables import build_documents
from mtlaerial.reporting.tables.marks import marks
from mtlaerial.scoring.scores import Scores
from support.sample_scores import run, tile

TILES = [tile([[5, 1, 0], [0, 9, 0]], [4.0, 0.0], [5.0, 0.0])]


def trained(method: str, model: dict[str, object] | None = None, **training: object) -> Scores:
    network, recipe = D3NetSpec.parse(model or {}, "model"), TrainingSpec.parse(training, "training")
    return run(method, 0, TILES, network=network, training=recipe)


def test_methods_trained_alike_have_no_marks() -> None:
    runs = [trained("one"), trained("two", threads=8, accelerator="cpu", log_every=7), trained("three")]
    assert marks(runs) == {}


def test_a_mark_says_what_differs_from_most() -> None:
    long = trained("long", epochs=240, augmentation={"flip": False})
    runs = [trained("small", {"growth": 8}), trained("one"), trained("two"), long]
    found = {method: (mark.letter, mark.difference) for method, mark in marks(runs).items()}
    assert found == {
        "small": ("a", "model.growth 8 instead of 32"),
        "long": (
            "b",
            "training.epochs 240 instead of 120; training.augmentation.flip False instead of True; "
            "2 times the training pixels (updates x batch x area of a patch)",
        ),
    }


def test_a_network_with_a_context_is_marked() -> None:
    lite = {"encoder": "efficientnet_lite0"}
    specs = {"plain": lite, "wide": {**lite, "context": {}}}
    runs = [trained(name).model_copy(update={"network": EncoderDecoderSpec.parse(s, "")}) for name, s in specs.items()]
    (mark,) = marks(runs).values()
    assert mark.difference == "model.context channels 64, scale 4 instead of None"


def test_a_training_that_ended_early_is_marked_by_the_pixels_that_it_saw() -> None:
    patient = {"epochs": 120, "selection": "best", "patience": 5}
    runs = [trained(name, **patient) for name in ("one", "two", "early")]
    runs[2] = runs[2].model_copy(update={"ended_early": 30})
    difference = "0.25 times the training pixels (updates x batch x area of a patch)"
    assert {method: mark.difference for method, mark in marks(runs).items()} == {"early": difference}


def test_another_weight_in_the_validation_score_is_marked() -> None:
    runs = [trained("one"), trained("two"), trained("heights", score_weights={"height": 3})]
    assert marks(runs)["heights"].difference == "training.score_weights height 3 instead of none"


def test_a_section_in_place_of_a_name_is_marked() -> None:
    losses = {"semantic_loss": {"cross_entropy": 1, "dice": 0.5}}
    heights = {"height_head": {"name": "bins", "count": 8}, "height_loss": "likelihood"}
    start = {"pretrained": {"source": "densenet121", "rates": {"encoder": 0.5}}}
    runs = [trained(name) for name in ("one", "two", "three")]
    runs += [trained("losses", **losses), trained("bins", **heights), trained("tuned", start)]
    differences = {method: mark.difference for method, mark in marks(runs).items()}
    bins = "count 8, largest 60, name bins, softness 1, spacing mixed"
    assert differences == {
        "losses": "training.semantic_loss cross_entropy 1, dice 0.5 instead of cross_entropy",
        "bins": f"training.height_head {bins} instead of linear; training.height_loss likelihood instead of l1",
        "tuned": "model.pretrained parts encoder, rates.encoder 0.5, source densenet121, stage_decay 1 instead of none",
    }


def test_weightings_that_draw_several_batches_are_marked() -> None:
    runs = [trained("one"), trained("two")]
    runs += [trained(name).model_copy(update={"weighting": name}) for name in ("modo", "sdmgrad", "cagrad")]
    pixels = "3 times the training pixels (updates x batch x area of a patch; 3 batches per update)"
    assert {method: mark.difference for method, mark in marks(runs).items()} == {"modo": pixels, "sdmgrad": pixels}


def test_the_training_pixels_of_a_weighting_that_is_not_installed_are_said_to_be_unknown() -> None:
    absent = trained("other").model_copy(update={"weighting": "of_another_package"})
    found = marks([trained("one"), trained("two"), absent])
    assert (
        found["other"].difference == "training pixels not known, as its weighting of_another_package is not installed"
    )


def test_as_many_pixels_in_other_patches_are_named_without_a_factor() -> None:
    runs = [trained("one"), trained("two"), trained("wide", patch=640, batch=6, epochs=30)]
    assert marks(runs)["wide"].difference == "training.patch 640 instead of 320; training.epochs 30 instead of 120"


def test_another_prediction_is_marked_and_faster_windows_are_not() -> None:
    runs = [trained("one"), trained("two"), trained("views"), trained("batches")]
    predictions = [{}, {}, {"views": 8}, {"batch": 4, "image_maps": True}]
    runs = [
        entry.model_copy(update={"prediction": PredictionSpec.parse(values, "prediction")})
        for entry, values in zip(runs, predictions, strict=True)
    ]
    assert {method: mark.difference for method, mark in marks(runs).items()} == {
        "views": "prediction.views mirror, turns instead of none"
    }


def test_imported_weights_are_marked() -> None:
    imported = trained("original").model_copy(update={"training": None})
    assert marks([trained("one"), imported])["original"].difference == "imported: recipe and training tiles not known"


def test_imported_weights_are_not_said_to_begin_otherwise() -> None:
    """The network of an imported run does not tell what its training began with."""
    begun = {"initialisation": "normal", "pretrained": "densenet121"}
    imported = trained("original").model_copy(update={"training": None})
    assert (
        marks([trained("one", begun), imported])["original"].difference
        == "imported: recipe and training tiles not known"
    )


def test_other_initial_weights_are_marked() -> None:
    runs = [trained(name, {"initialisation": "normal"}) for name in ("one", "two")]
    (mark,) = marks([*runs, trained("plain")]).values()
    assert mark.difference == "model.initialisation default instead of normal"


def test_tables_show_marks_and_their_notes() -> None:
    documents = build_documents([trained("one"), trained("two"), trained("long", epochs=240)])
    for panel in documents[0].panels:
        names = {*panel.header, *(row[0].text for row in panel.rows)}
        assert {"one", "two", "long (a)"} <= names
        assert any(note.text.startswith("(a) long differs from most:") for note in panel.notes)
    weightings = next(document for document in documents if document.stem == "town_weightings").panels[0]
    assert "long (a)" in {row[0].text for row in weightings.rows}
    assert any("epochs 240" in note.text for note in weightings.notes)

"""Panels of the program's help: the commands in the order of work, each with a line of at most 57 columns."""

from collections.abc import Mapping
from typing import Any

PANELS: dict[str, dict[str, str]] = {
    "Data": {
        "init": "Begin a project: configuration, profile, Snakefile.",
        "check": "Check all files of a data set, and report all faults.",
        "rasterise": "Write labels drawn as polygons as rasters of codes.",
        "folds": "Divide tiles by place into areas, each tested in turn.",
        "synthesise": "Write a generated city in the layout of a data set.",
    },
    "Train and compare": {
        "train": "Train one run, without Snakemake.",
        "status": "Show the progress of a project's trainings.",
        "dashboard": "Show trainings in a browser while they run.",
        "score": "Score runs on test tiles, and write the tables.",
        "calibrate": "Make intervals of heights and probabilities hold.",
        "networks": "List encoders and decoders, with their sizes.",
        "weightings": "List the task weightings, or explain one.",
        "power": "Say which effects a comparison can detect.",
        "probe": "Measure which settings are fastest on this machine.",
    },
    "Map": {
        "describe": "Say what a run was trained on, and what images it takes.",
        "predict": "Map classes and heights of orthophotos.",
        "ensemble": "Join runs, which then predict as one.",
    },
    "After the map": {
        "view": "Show maps in a browser.",
        "vectorise": "Make polygons with heights, or a city model.",
        "zones": "Sum up maps in polygons, such as parcels.",
        "sample": "Draw random check points of maps, to be labelled.",
        "assess": "Estimate areas and accuracies from check points.",
        "score-objects": "Score objects by true ones, e.g. of a cadastre.",
    },
    "Develop": {
        "export": "Write the network for ONNX Runtime, PyTorch or QGIS.",
        "import-checkpoint": "Make a run of a checkpoint of the original code.",
        "upgrade": "Convert a run that an older version wrote.",
        "workflow-path": "Print the folder of the shipped workflow.",
    },
}


def in_panels(commands: Mapping[str, Any]) -> dict[str, Any]:
    """Return the commands in the order of the panels, with panel and line set; those in no panel follow."""
    for panel, lines in PANELS.items():
        for name, line in lines.items():
            commands[name].rich_help_panel, commands[name].short_help = panel, line
    order = [name for lines in PANELS.values() for name in lines]
    return {name: commands[name] for name in dict.fromkeys([*order, *commands])}

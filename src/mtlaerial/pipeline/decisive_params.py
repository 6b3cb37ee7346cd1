"""The part of the rules' ``params`` whose change repeats a job: plain data, which Snakemake records and compares."""

from dataclasses import dataclass
from typing import Any

from mtlaerial.config import DatasetSpec, Generation
from mtlaerial.config.class_names import decisive_names
from mtlaerial.config.decisive_keys import decisive
from mtlaerial.config.sources import PretrainedSpec
from mtlaerial.config.stages import Stage
from mtlaerial.datasets.buffer import later_tiles
from mtlaerial.datasets.sources import place_sources, raw_sources, tile_keys
from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.project_starts import start_identity
from mtlaerial.pipeline.table_facts import folds_of, table_facts, table_notes
from mtlaerial.pipeline.transfer_plan import class_codes, scoring_of, tested_sets, transfer_notes
from mtlaerial.runs.rate import rate_recipe, stated_rate_hash
from mtlaerial.runs.recipe_record import recipe_record

Params = dict[str, Any]
_ALWAYS = ("seed", "size", "vary", "ground_truth_gsd")
"""Keys of ``generate`` that all versions have."""


@dataclass(frozen=True)
class Decisive:
    """The values that results depend on besides input files: a method per rule, given the wildcards of a job."""

    project: Project

    def synthesise(self, root: str) -> Params:
        """Return how a data set is generated."""
        name = self.project.generated[root]
        entry = self.project.config.datasets[name]
        assert entry.generate is not None
        return {
            "spec": entry.spec.as_posix(),
            "generate": _generate(entry.generate),
            "tiles": sorted(self._spec(name).tiles),
        }

    def unpack_archive(self, mark: str) -> Params:
        """Return a number that changes with the names and contents of the archive's files."""
        return {"files": self.project.archives[f"{mark}.json"].fingerprint}

    def fetch_pretrained(self, weights: str) -> Params:
        """Return the published hash and how the file is read, whatever the address that it is fetched from."""
        spec = self.project.config.pretrained[weights]
        keys = decisive("fetch_pretrained", spec, "pretrained.*")
        # Without defaults: a key that is added to the configuration fetches nothing again.
        return {key: value for key, value in keys.items() if value != PretrainedSpec.model_fields[key].default}

    def check_tile(self, dataset: str, tile: str) -> Params:
        """Return the keys that decide a tile's pixels; no other tile, and no name or colour of a class."""
        return self._tile("check_tile", dataset, tile)

    def check_splits(self, dataset: str) -> Params:
        """Return the splits and the buffer between them."""
        return decisive("check_splits", self._spec(dataset))

    def locate_held_out(self, dataset: str) -> Params:
        """Return the splits, the keys that decide where tiles lie, and size and time of the files that locate them."""
        located = self.project.dataset(dataset)
        keys = {**decisive("locate_held_out", located.spec), "root": located.root.as_posix()}
        if self._is_generated(dataset):
            return keys
        return {**keys, "sources": place_sources(located, later_tiles(located, "train"), archived=False)}

    def prepare_tile(self, dataset: str, tile: str) -> Params:
        """Return the keys that decide a tile's pixels; no name or colour of a class.

        With a buffer the tiles of later splits belong to them, else no other tile does.
        """
        return self._tile("prepare_tile", dataset, tile)

    def summarise_tiles(self, dataset: str) -> Params:
        """Return the keys that decide the statistics of the training tiles."""
        return self._training_data("summarise_tiles", dataset)

    def measure_rate(self, dataset: str, method: str) -> Params:
        """Return the keys that the time of an update depends on; all of them decide the weights too."""
        return rate_recipe(self.project.plan(dataset, method, seed=0))

    def train(self, dataset: str, method: str, seed: str) -> Params:
        """Return the keys that decide the weights of a run."""
        plan = self.project.plan(dataset, method, int(seed))
        params: Params = {"plan": plan.decisive("train"), "data": self._training_data("train", dataset)}
        names = decisive_names(plan.training, plan.model.start, self._spec(dataset).class_names)
        identity = start_identity(self.project, method)
        inputs = {"start": identity, "rate": stated_rate_hash(plan, self.project.config.results)}
        return {**params, **names, **{key: value for key, value in inputs.items() if value}}

    def describe_run(self, dataset: str, method: str, seed: str) -> Params:
        """Return the keys that ``run.yaml`` states, also those that only people read."""
        plan = self.project.plan(dataset, method, int(seed))
        params = {"plan": plan.decisive("describe_run"), "data": decisive("describe_run", self._spec(dataset))}
        recipe = recipe_record(self.project.config, plan)
        return {**params, "recipe": recipe.model_dump(mode="json")} if recipe else params

    def describe_ensemble(self, dataset: str, method: str, seed: str) -> Params:
        """Return the row that an ensemble is, its prediction and its members."""
        plan = self.project.ensemble_plan(dataset, method, int(seed))
        return {"plan": plan.model_dump(mode="json"), "members": self._members(dataset, method, seed)}

    def predict(self, dataset: str, method: str, seed: str) -> Params:
        """Return the section ``prediction`` in force, and the test tiles; of an ensemble members and average, too."""
        prediction = decisive("predict", self.project.recipe(dataset, method).prediction, "prediction")
        joined = self._joined(dataset, method, seed)
        return {"prediction": prediction, "tiles": self._test_tiles(dataset), **joined}

    def calibrate(self, dataset: str, method: str, seed: str) -> Params:
        """Return how and on which tiles a run is calibrated: cells, levels, bins, objects, and settings of the maps."""
        recipe, calibration = self.project.recipe(dataset, method), self.project.config.calibration
        objects = self.project.config.objects
        assert calibration is not None
        return {
            "calibration": decisive("calibrate", calibration, "calibration"),
            "prediction": decisive("calibrate", recipe.prediction, "prediction"),
            **decisive("calibrate", recipe.scoring, "scoring"),
            "tiles": list(self._spec(dataset).splits.get("val", ())),
            **({"objects": decisive("calibrate", objects, "objects")} if objects else {}),
            **self._joined(dataset, method, seed),
        }

    def vectorise(self, dataset: str, method: str, seed: str) -> Params:
        """Return which objects become polygons, the test tiles, and rules between tasks where there are any."""
        objects = self.project.config.objects
        assert objects is not None
        keys = decisive("vectorise", objects, "objects")
        return {"objects": keys, "tiles": self._test_tiles(dataset), **self._rules(dataset)}

    def score(self, dataset: str, method: str, seed: str) -> Params:
        """Return the section ``scoring`` in force, the test tiles, and rules and objects where they are configured."""
        scoring, objects = self.project.recipe(dataset, method).scoring, self.project.config.objects
        return {
            "scoring": decisive("score", scoring, "scoring"),
            "tiles": self._test_tiles(dataset),
            **({"objects": decisive("score", objects, "objects")} if objects else {}),
            **self._rules(dataset),
        }

    def tables(self) -> Params:
        """Return published scores, folds and protocol of each data set, and notes on the methods left out."""
        return {name: table_facts("tables", self.project, name) for name in self.project.sources}

    def predict_transfer(self, dataset: str, method: str, seed: str, tested: str) -> Params:
        """Return what decides ``predict``, for the test tiles of another data set: its pixel size and classes too."""
        spec = self._spec(tested)
        names = [entry.model_dump(mode="json") for entry in spec.labels.classes] if spec.labels else []
        other = {"tested": {"gsd": spec.gsd, "classes": names}, "codes": self._codes(dataset, tested)}
        return {**self.predict(dataset, method, seed), "tiles": self._test_tiles(tested), **other}

    def score_transfer(self, dataset: str, method: str, seed: str, tested: str) -> Params:
        """Return what decides ``score``, on another data set, and the title of that, which its scores have."""
        scoring = decisive("score", scoring_of(self.project, tested, method), "scoring")
        tiles, codes = self._test_tiles(tested), self._codes(dataset, tested)
        title = self._spec(tested).title
        return {"scoring": scoring, "tiles": tiles, "codes": codes, "title": title, **self._rules(tested)}

    def transfer_tables(self) -> Params:
        """Return protocol, margin and notes of each data set that runs of others are tested on."""
        margin = self.project.config.run.comparison.margin
        return {
            name: {
                "protocol": self._spec(name).protocol,
                "margin": margin,
                "notes": [*transfer_notes(self.project, name), *table_notes(self.project, name)],
            }
            for name in tested_sets(self.project)
        }

    def layout_figure(self, dataset: str) -> Params:
        """Return title, splits and pixel size of a data set, and the formats."""
        return {**decisive("layout_figure", self._spec(dataset)), **self._figures("layout_figure")}

    def label_efficiency(self) -> Params:
        """Return curves, notes, folds and protocol of each data set, and the formats."""
        datasets = {name: table_facts("label_efficiency", self.project, name) for name in self.project.sources}
        return {"datasets": datasets, **self._figures("label_efficiency")}

    def tradeoff(self, dataset: str) -> Params:
        """Return notes and folds of a data set, and the formats."""
        keys = {**decisive("tradeoff", self._spec(dataset)), **self._figures("tradeoff")}
        return {**keys, "folds": folds_of(self.project, dataset), "notes": table_notes(self.project, dataset)}

    def figures(self, dataset: str, method: str) -> Params:
        """Return the test tiles, and the formats."""
        return {"tiles": self._test_tiles(dataset), **self._figures("figures")}

    def report(self) -> Params:
        """Return the same, and titles and licences."""
        return {name: table_facts("report", self.project, name) for name in self.project.sources}

    def _joined(self, dataset: str, method: str, seed: str) -> Params:
        """Return the members and the average of an ensemble; nothing of another method."""
        ensemble = self.project.config.methods[method].ensemble
        return {"members": self._members(dataset, method, seed), "heights": ensemble.heights} if ensemble else {}

    def _members(self, dataset: str, method: str, seed: str) -> list[str]:
        return [f"{member}/seed{number}" for member, number in self.project.source_runs(dataset, method, int(seed))]

    def _spec(self, dataset: str) -> DatasetSpec:
        return self.project.dataset(dataset).spec

    def _is_generated(self, dataset: str) -> bool:
        return self.project.config.datasets[self.project.source(dataset)].generate is not None

    def _codes(self, dataset: str, tested: str) -> list[int]:
        return list(class_codes(self.project, dataset, tested))

    def _rules(self, dataset: str) -> Params:
        return self._spec(dataset).model_dump(mode="json", include={"consistency"})

    def _test_tiles(self, dataset: str) -> list[str]:
        return list(self._spec(dataset).splits.get("test", ()))

    def _tile(self, stage: Stage, name: str, tile: str) -> Params:
        """Return the part of a specification that decides a tile, and size and time of its raw files.

        Snakemake itself notices only files that are newer than the results.
        """
        dataset = self.project.dataset(name)
        # Generated and archived files have a mark among the inputs, and may not exist yet.
        sources = {} if self._is_generated(name) else raw_sources(dataset, tile, archived=False)
        return {**tile_keys(dataset, tile, stage), "root": dataset.root.as_posix(), "sources": sources}

    def _figures(self, stage: Stage) -> Params:
        return decisive(stage, self.project.config.figures, "figures")

    def _training_data(self, stage: Stage, dataset: str) -> Params:
        # Names, colours and raw values of classes decide no statistics, but their number does.
        labels = self._spec(dataset).labels
        return {**decisive(stage, self._spec(dataset)), "classes": len(labels.classes) if labels else 0}


def _generate(generation: Generation) -> Params:
    """Return the decisive keys of a generator, without keys at their defaults that earlier versions lack.

    A workflow that generated its data with an earlier version does not generate them again.
    """
    keys = decisive("synthesise", generation, "datasets.*.generate")
    defaults = Generation().model_dump(mode="json")
    return {key: value for key, value in keys.items() if key in _ALWAYS or value != defaults[key]}

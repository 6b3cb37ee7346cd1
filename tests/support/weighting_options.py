"""Options of every weighting: the documented defaults, and values out of bounds."""

from typing import Any

PARAMETERS, FEATURES = {"level": "parameters"}, {"level": "features"}
COSTLY, LEARNED = {**PARAMETERS, "every": 1}, {"learning_rate": None}

DEFAULTS: dict[str, dict[str, Any]] = {
    "equal": {},
    "fixed": {"weights": None},
    "rlw": {},
    "dwa": {"temperature": 2.0},
    "uw": LEARNED,
    "uw_so": {"temperature": 1.0},
    "imtl_l": LEARNED,
    "gls": {},
    "stch": {"mu": 1.0, "preferences": None, "variant": "definition", "warmup": 4},
    "famo": {"learning_rate": 0.025, "gamma": 1e-3},
    "gradient_penalty": {"strength": 1.0},
    "rgw": FEATURES,
    "feature_normalisation": FEATURES,
    "gradnorm": {**FEATURES, "alpha": 1.5, "learning_rate": 0.025},
    "mgda": {**COSTLY, "normalisation": "none"},
    "mgda_ub": {**FEATURES, "normalisation": "none"},
    "cr_mogm": {**COSTLY, "of": "mgda", "alpha": 0.9},
    "pcgrad": COSTLY,
    "gradvac": {**COSTLY, "beta": 0.5},
    "cagrad": {**COSTLY, "c": 0.4},
    "imtl_g": FEATURES,
    "imtl": {**FEATURES, **LEARNED},
    "nash_mtl": {**COSTLY, "max_norm": 1.0},
    "fairgrad": {**COSTLY, "alpha": 2.0, "max_norm": 1.0},
    "aligned_mtl": {**COSTLY, "scale": "min", "preferences": None},
    "upgrad": {**COSTLY, "preferences": None},
    "dualproj": {**COSTLY, "preferences": None},
    "config": {**COSTLY, "preferences": None},
    "pcd": {**COSTLY, "primary": None, "tau": 0.02, "beta": 0.999},
    "graddrop": {**FEATURES, "leak": 0.0},
    "excess_mtl": {**PARAMETERS, "step_size": 0.01, "warmup": 1},
    "db_mtl": {**PARAMETERS, "beta": 0.9, "decay": 0.0},
    "moco": {**PARAMETERS, "beta": 0.1, "gamma": 0.1, "rho": 0.1},
    "modo": {**PARAMETERS, "gamma": 0.1, "rho": 0.1},
    "sdmgrad": {**PARAMETERS, "mean_share": 0.3, "learning_rate": 10.0, "momentum": 0.5, "iterations": 20},
}
"""None for an option without a default of its own."""

PREFERENCES: list[Any] = [{"height": 2}, {"semantics": 1, "height": 0}, {"semantics": 1, "height": -1}, {}]
RATES: dict[str, list[Any]] = {"learning_rate": [0, -1]}
WRONG: dict[str, dict[str, list[Any]]] = {
    "fixed": {"weights": [{"height": 2}, {"semantics": 1, "height": 0}, {"semantics": 1, "height": -1}, {}]},
    "dwa": {"temperature": [0, -1]},
    "uw_so": {"temperature": [0, -1]},
    "uw": RATES,
    "imtl_l": RATES,
    "imtl": RATES,
    "stch": {"mu": [0, -1], "preferences": PREFERENCES, "variant": ["code"], "warmup": [-1, 0.5]},
    "famo": {"learning_rate": [0], "gamma": [-1]},
    "gradient_penalty": {"strength": [-1]},
    "gradnorm": {"alpha": [-1], "learning_rate": [0]},
    "mgda": {"level": ["features"], "normalisation": ["L2", "loss++"], "every": [0, -1, 1.5]},
    "mgda_ub": {"level": ["parameters"], "every": [2]},
    "cr_mogm": {"of": ["cr_mogm", "upgrad"], "alpha": [-0.1, 1.0]},
    "gradvac": {"beta": [0, 1.0, 1.5]},
    "cagrad": {"c": [-0.1, 1.0]},
    "nash_mtl": {"max_norm": [-1]},
    "fairgrad": {"alpha": [0], "max_norm": [-1]},
    "aligned_mtl": {"scale": ["max"], "preferences": PREFERENCES},
    "upgrad": {"preferences": PREFERENCES, "every": [0]},
    "dualproj": {"preferences": PREFERENCES},
    "config": {"preferences": PREFERENCES},
    "pcd": {"primary": ["depth"], "tau": [-0.1, 2.0], "beta": [-0.1, 1.0]},
    "graddrop": {"leak": [-0.1, 1.1]},
    "excess_mtl": {"step_size": [0], "warmup": [0, 1.5]},
    "db_mtl": {"beta": [-0.1, 1], "decay": [-1]},
    "moco": {"beta": [0, 1.1], "gamma": [0], "rho": [-0.1]},
    "modo": {"gamma": [0], "rho": [-0.1]},
    "sdmgrad": {"mean_share": [-0.1], "learning_rate": [0], "momentum": [-0.1, 1], "iterations": [0, 1.5]},
}
"""Besides, no weighting has a level called ``pixels``, nor an option called ``magic``."""


def variants(name: str) -> list[dict[str, Any]]:
    """Return the options that select each level of a weighting; no option where it has none."""
    if "level" not in DEFAULTS[name]:
        return [{}]
    if name in ("mgda", "mgda_ub"):
        return [{"level": DEFAULTS[name]["level"]}]
    return [{"level": "parameters"}, {"level": "features"}]

"""Options of every weighting: the documented defaults, and values out of bounds."""

from typing import Any

PARAMETERS, FEATURES = {"level": "parameters"}, {"level": "features"}

DEFAULTS: dict[str, dict[str, Any]] = {
    "equal": {},
    "fixed": {"weights": None},
    "rlw": {},
    "dwa": {"temperature": 2.0},
    "uw": {},
    "uw_so": {"temperature": 1.0},
    "imtl_l": {},
    "gls": {},
    "stch": {"mu": 1.0},
    "famo": {"learning_rate": 0.025, "gamma": 1e-3},
    "gradient_penalty": {"strength": 1.0},
    "rgw": FEATURES,
    "feature_normalisation": FEATURES,
    "gradnorm": {**FEATURES, "alpha": 1.5, "learning_rate": 0.025},
    "mgda": PARAMETERS,
    "mgda_ub": FEATURES,
    "cr_mogm": {**PARAMETERS, "of": "mgda", "alpha": 0.9},
    "pcgrad": PARAMETERS,
    "gradvac": {**PARAMETERS, "beta": 0.5},
    "cagrad": {**PARAMETERS, "c": 0.4},
    "imtl_g": FEATURES,
    "imtl": FEATURES,
    "nash_mtl": {**PARAMETERS, "max_norm": 1.0},
    "fairgrad": {**PARAMETERS, "alpha": 2.0, "max_norm": 1.0},
    "aligned_mtl": {**PARAMETERS, "scale": "min"},
    "upgrad": PARAMETERS,
    "dualproj": PARAMETERS,
    "config": PARAMETERS,
    "pcd": {**PARAMETERS, "primary": None, "tau": 0.02, "beta": 0.999},
    "graddrop": {**FEATURES, "leak": 0.0},
    "excess_mtl": {**PARAMETERS, "step_size": 0.01, "warmup": 1},
    "db_mtl": {**PARAMETERS, "beta": 0.9, "decay": 0.0},
    "moco": {**PARAMETERS, "beta": 0.1, "gamma": 0.1, "rho": 0.1},
    "modo": {**PARAMETERS, "gamma": 0.1, "rho": 0.1},
    "sdmgrad": {**PARAMETERS, "mean_share": 0.3, "learning_rate": 10.0, "momentum": 0.5, "iterations": 20},
}
"""None for an option without a default of its own."""

WRONG: dict[str, dict[str, list[Any]]] = {
    "fixed": {"weights": [{"height": 2}, {"semantics": 1, "height": 0}, {"semantics": 1, "height": -1}, {}]},
    "dwa": {"temperature": [0, -1]},
    "uw_so": {"temperature": [0, -1]},
    "stch": {"mu": [0, -1]},
    "famo": {"learning_rate": [0], "gamma": [-1]},
    "gradient_penalty": {"strength": [-1]},
    "gradnorm": {"alpha": [-1], "learning_rate": [0]},
    "mgda": {"level": ["features"]},
    "mgda_ub": {"level": ["parameters"]},
    "cr_mogm": {"of": ["cr_mogm", "upgrad"], "alpha": [-0.1, 1.0]},
    "gradvac": {"beta": [0, 1.0, 1.5]},
    "cagrad": {"c": [-0.1, 1.0]},
    "nash_mtl": {"max_norm": [-1]},
    "fairgrad": {"alpha": [0], "max_norm": [-1]},
    "aligned_mtl": {"scale": ["max"]},
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

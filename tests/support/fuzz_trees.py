"""Random changes of nested mappings and lists, and hostile YAML, which follow from a random generator alone."""

import copy
import random
from typing import Any

import yaml

ODD: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 0.5, 1e308, float("inf"), float("nan"), 2**31, 2**64, 10**90, "", " ", "0", "1e999",
    "a" * 3000, "\ud7ff", "\0", "\n", "\x85", "{tile}", "{", "{tile!r}", "{0.__class__}", "%s", "../../etc/passwd",
    "/dev/zero", "/etc/passwd", "http://127.0.0.1:1/a", "/vsicurl/http://127.0.0.1:1/a", "EPSG:0", "EPSG:99999999",
    "+init=/etc/passwd:1", "NaN", [], {}, [[]], [None], [{}], {"": ""}, {1: 2}, [1, "a", None], ["a"] * 300,
)  # fmt: skip
"""Values that take the place of others."""


def changed(rng: random.Random, tree: Any) -> Any:
    """Return a copy of nested mappings and lists with one to four changes."""
    tree = copy.deepcopy(tree)
    for _ in range(rng.choice((1, 1, 2, 4))):
        parents = _containers(tree)
        parent = rng.choice(parents)
        if isinstance(parent, dict):
            _change_mapping(rng, parent, parents)
        elif parent:
            _change_list(rng, parent, parents)
    return tree


def odd_value(rng: random.Random, containers: list[Any]) -> Any:
    """Return an odd value, or a copy of another part of the tree."""
    if rng.random() < 0.2:
        return copy.deepcopy(rng.choice(containers))
    if rng.random() < 0.1:
        nested: Any = rng.choice(ODD)
        for _ in range(rng.choice((3, 40, 60))):
            nested = [nested]
        return nested
    return rng.choice(ODD)


def hostile_yaml(rng: random.Random, tree: Any) -> bytes:
    """Return YAML that expands, recurses, or has values without end."""
    key = rng.choice(sorted(map(str, tree)))
    number = rng.choice(("9" * 5_000, "0x" + "f" * 5_000, "1" + ":59" * 5_000, "0." + "1" * 5_000, ".inf", "-.nan"))
    levels = [f"a0: &a0 [{', '.join('x' * 9)}]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, rng.choice((3, 5, 9)))]
    texts = [
        "\n".join([*levels, f"{key}: *a{len(levels) - 1}"]),
        f"{key}: &a [*a]",
        f"{key}: &a {{<<: *a}}",
        f"{key}: {number}",
        f"{key}: !!{rng.choice(('python/name:os.system', 'binary', 'set', 'omap', 'timestamp', 'int', 'bool'))} x",
        f"{key}: " + rng.choice("[{(") * rng.choice((60, 5_000)),
        f"? {key}\n: ? [a, b]\n  : c\n",
        f'{key}: "{rng.choice(("U00110000", "ud800", "x00", "N", "0"))}"'.replace('"', '"\\', 1),
        "".join(f"k{index}: {index}\n" for index in range(3_000)),
        f"{key}: 1\n---\n{key}: 2\n",
        f"%YAML 9.9\n---\n{key}: 1",
    ]
    rest = yaml.safe_dump({name: value for name, value in tree.items() if str(name) != key}, sort_keys=False)
    return f"{rest}\n{rng.choice(texts)}".encode("utf-8", "surrogatepass")


def _containers(tree: Any) -> list[Any]:
    waiting, containers = [tree], []
    while waiting:
        node = waiting.pop()
        if isinstance(node, (dict, list)):
            containers.append(node)
            waiting += node.values() if isinstance(node, dict) else node
    return containers


def _change_mapping(rng: random.Random, mapping: dict[Any, Any], containers: list[Any]) -> None:
    kind = rng.random()
    if not mapping or kind < 0.1:
        mapping[rng.choice(("a", "tile", 1, None, True, 1.5, "a" * 300))] = odd_value(rng, containers)
        return
    key = rng.choice(list(mapping))
    if kind < 0.2:
        del mapping[key]
    elif kind < 0.3:
        mapping[f"{key}s"] = mapping.pop(key)
    else:
        mapping[key] = odd_value(rng, containers)


def _change_list(rng: random.Random, values: list[Any], containers: list[Any]) -> None:
    at, kind = rng.randrange(len(values)), rng.random()
    if kind < 0.2:
        del values[at]
    elif kind < 0.4:
        values.insert(at, copy.deepcopy(values[at]))
    else:
        values[at] = odd_value(rng, containers)

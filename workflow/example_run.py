"""Make the run that mtlaerial ships of a trained one: ``python workflow/example_run.py RUN SCORES TARGET``.

The weights of convolutions are written as 16-bit floats, which halves the file; batch norms and biases stay 32-bit
floats. Whoever reads a run computes with 32-bit floats.
"""

import sys
from pathlib import Path

import torch
from torch import Tensor

from mtlaerial.models.safetensors_io import load_weights
from mtlaerial.runs.run import RunDescription, load_description, save_description
from mtlaerial.runs.text import describe_run
from mtlaerial.runs.weights import WEIGHTS, load_provenance, save_run_weights
from mtlaerial.system.files import write_text

README = """# {name}: a small trained run to start from

Made by `make example-run` and shipped with mtlaerial, so that an orthophoto can be mapped before anything is trained:

    mtlaerial predict {name} ortho.tif --out maps/
    mtlaerial describe {name}

In a configuration, `pretrained: {{source: {name}, parts: trunk}}` fine-tunes it.

```
{description}
```

## Its limits

It has seen {tiles} tiles of one scene, {title}, on one day: {metres:g} m pixels, {bands} bands of {dtype}, one kind of
town, one light, one season. Elsewhere classes and heights are a first guess. It is meant to try the commands with,
and to be fine-tuned on your own data; before you use its maps for anything, score them on ground truth of your place
(`mtlaerial score`). Heights above {highest:.0f} m did not occur in its training.

Scores on the test tiles of that scene, which it was not trained on:

{table}

## Licences

- The weights derive from the training data: {citation} ({licence}).
- The encoder began with {start}.
"""


def main(run: Path, scores: Path, target: Path) -> None:
    """Write weights, description and README."""
    description = load_description(run)
    weights = {name: halved(tensor) for name, tensor in load_weights(run / WEIGHTS).items()}
    save_run_weights(target, load_provenance(run), weights, {})
    save_description(target, description.plan, description.statistics, description.recipe)
    table = next((scores / "tables").glob(f"{description.statistics.dataset}.md"))
    write_text(target / "README.md", readme(target, description, table.read_text(encoding="utf-8")))


def halved(tensor: Tensor) -> Tensor:
    """Return the weights of a convolution in 16-bit floats, and all else as it is."""
    return tensor.half() if tensor.ndim > 1 else tensor


def readme(target: Path, description: RunDescription, table: str) -> str:
    """Return the text on a shipped run: what it is, its limits, its scores, its licences."""
    statistics = description.statistics
    assert description.start
    assert statistics.height
    return README.format(
        name=target.name,
        description=describe_run(target),
        tiles=len(statistics.tiles),
        title=statistics.title,
        metres=statistics.gsd,
        bands=len(statistics.bands),
        dtype=statistics.dtype,
        highest=statistics.height.maximum,
        table=table.strip(),
        citation=statistics.citation.strip(),
        licence=statistics.licence,
        start=description.start.text,
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*map(Path, sys.argv[1:4]))

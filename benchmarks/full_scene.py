"""Maps of the real scene with the original's network at full size: the engine beside the original's protocol.

The mosaic of all tiles has so many of the original's windows (1024 pixels every 256) that the network is timed on some,
in float32 and torch's default memory format, and the median is multiplied by their number; blending and writing are
free for the original. The engine reads, predicts and writes all windows. On a crop both run in full and are scored.

Without --run a network is trained first (benchmarks/full_scene.yaml) and stored in --folder. With --crop 0 or a
generated image, of --generated pixels squared, nothing is scored, and the weights are random.

    python benchmarks/full_scene.py --root DIR [--run RUN] [--precision bf16-mixed] [--runs 5] [--json FILE]
    python benchmarks/full_scene.py --generated 12000 --accelerator cuda --precision bf16-mixed

With --engines, the engines of prediction are compared instead, on the crop (benchmarks/engines.py):

    python benchmarks/full_scene.py --root DIR --run town --engines [--runs 5] [--crop 2048] [--json FILE]
"""

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import rasterio
import torch
from apart import Watch, alone
from engines import compare
from mosaic import THREADS, gsd, mosaic, predict, predictor_of, scored, suited, trained, untrained
from predict_memory import write_image
from record import save

from mtlaerial.config import PredictionSpec
from mtlaerial.runs.shipped import find_run

ORIGINAL = PredictionSpec()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--root", type=Path, help="the scene's folder")
    source.add_argument("--generated", type=int, help="side of a generated image instead, in pixels")
    parser.add_argument("--run", type=Path, help="a trained run; else one is trained")
    parser.add_argument(
        "--accelerator", choices=["cpu", "cuda"], default="cpu", help="of networks that are not trained"
    )
    parser.add_argument("--folder", type=Path, default=Path("results/bench/full_scene"))
    parser.add_argument("--precision", default="32-true", help="of the engine; the original's is float32")
    parser.add_argument("--threads", type=int, default=THREADS)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--crop", type=int, default=2048, help="side of the crop that is scored; 0 for none")
    parser.add_argument("--engines", action="store_true", help="compare engines, on idle and on busy cores")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    run, image = run_and_image(options)
    if options.engines:
        crop = mosaic(options.root, options.folder, "images", options.crop) if options.root and options.crop else image
        threads = sorted({1, options.threads})
        rows = compare(run, crop, options.folder / "engines", options.runs, threads)
        save(options.json, "full_scene", rows, engines=True, crop=options.crop, run=run.name)
        return
    rows = speed(run, image, options.folder / "maps", options.precision, options.runs, options.threads)
    if options.crop and options.root:
        rows += quality(run, options.root, options.folder, options.precision, options.crop)
    settings = {key: getattr(options, key) for key in ("generated", "precision", "threads")}
    save(options.json, "full_scene", rows, **settings)


def run_and_image(options: argparse.Namespace) -> tuple[Path, Path]:
    """Return the run's folder and the image that the options select."""
    if options.root:
        image = mosaic(options.root, options.folder, "images")
        if options.run or options.crop:
            return find_run(options.run) if options.run else trained(options.root, options.folder), image
    else:
        image = options.folder / f"generated_{options.generated}.tif"
        options.folder.mkdir(parents=True, exist_ok=True)
        write_image(image, options.generated, gsd())
    return options.run or untrained(options.folder, options.accelerator), image


def speed(run: Path, image: Path, maps: Path, precision: str, runs: int, threads: int) -> list[dict[str, Any]]:
    """Compare Mpixel/s over the whole mosaic."""
    with rasterio.open(image) as source:
        mpixel = source.height * source.width / 1e6
    with alone() as pool:
        theirs = pool.submit(original_windows, run, image, runs, threads).result()
    with alone() as pool:
        ours = pool.submit(engine, run, image, maps, precision, runs, threads).result()
    theirs |= {"what": "original", "mpixel_per_second": mpixel / (theirs["windows"] * theirs["seconds_per_window"])}
    ours |= {"what": "engine", "mpixel_per_second": mpixel / ours["seconds"]}
    ours["ratio"] = ours["mpixel_per_second"] / theirs["mpixel_per_second"]
    print(
        f"original: {theirs['windows']} windows of {theirs['seconds_per_window']:.2f} s,"
        f" {theirs['mpixel_per_second']:.4f} Mpixel/s\n"
        f"engine: {ours['windows']}; {ours['seconds']:.1f} s, {ours['mpixel_per_second']:.4f} Mpixel/s,"
        f" {ours['above_rest_mb']:.0f} MB above rest; {ours['ratio']:.1f} x",
        flush=True,
    )
    return [theirs, ours]


def original_windows(run: Path, image: Path, runs: int, threads: int) -> dict[str, Any]:
    """Return the number of the original's windows and the network's median seconds on one."""
    from mtlaerial.prediction.blending.windows import original
    from mtlaerial.prediction.predictor import Predictor
    from mtlaerial.runs.loading import load_run

    device = Predictor(run, ORIGINAL).device
    torch.set_num_threads(threads)
    model, watch = load_run(run, device).model.eval(), Watch(device.type)
    layout, seconds = original(ORIGINAL.window, ORIGINAL.stride), []
    with rasterio.open(image) as source:
        number = len(layout(source.height).starts) * len(layout(source.width).starts)
        for start in layout(source.width).starts[: runs + 1]:
            window = source.read(window=((start, start + ORIGINAL.window), (start, start + ORIGINAL.window)))
            normal = (torch.from_numpy(window).float()[None] / 127.5 - 1).to(device)
            begun = time.perf_counter()
            with torch.inference_mode():
                model(normal)
            watch.wait()
            seconds.append(time.perf_counter() - begun)
    return {"windows": number, "seconds_per_window": statistics.median(seconds[1:])}


def engine(run: Path, image: Path, maps: Path, precision: str, runs: int, threads: int) -> dict[str, Any]:
    """Return the median seconds of the maps of the whole mosaic, and the peak memory."""
    from mtlaerial.prediction.blending.windows import described

    predictor = predictor_of(run, suited(run), precision, threads)
    watch, seconds = Watch(predictor.device.type), []
    for _ in range(runs):
        begun = time.perf_counter()
        predictor.predict_image(image, maps)
        seconds.append(time.perf_counter() - begun)
    with rasterio.open(image) as source:
        windows = described(*map(predictor.blender.layout, source.shape))
    return {"windows": windows, "seconds": statistics.median(seconds), "above_rest_mb": watch.above_rest_mb}


def quality(run: Path, root: Path, folder: Path, precision: str, size: int) -> list[dict[str, Any]]:
    """Score maps of a crop by the original's protocol and by the engine."""
    crop, rows = mosaic(root, folder, "images", size), []
    for name, prediction, used in (("original", ORIGINAL, "32-true"), ("engine", suited(run), precision)):
        with alone() as pool:
            pool.submit(predict, run, crop, folder / name, prediction, used).result()
        rows.append({"what": f"crop, {name}", **scored(folder / name, root, folder, size)})
        first, row = rows[0], rows[-1]
        row |= {f"{key}_change": row[key] / first[key] - 1 for key in ("oa", "mae")}
        print(
            f"{row['what']}: OA {100 * row['oa']:.2f} % ({100 * row['oa_change']:+.2f} %),"
            f" MAE {row['mae']:.4f} m ({100 * row['mae_change']:+.2f} %)",
            flush=True,
        )
    return rows


if __name__ == "__main__":
    main()

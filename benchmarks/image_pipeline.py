"""Images per second of the pipeline, from a folder and an LMDB: python benchmarks/image_pipeline.py. One JSON line.

The images are crops of the two photographs that scikit-learn ships, stored as LSUN stores its own: a shorter side of
256 pixels, JPEG or WebP of quality 75. A pipeline draws whole batches through `by_step`, as `fit` does. Beside it
stands what a training consumes: a DCGAN student by the vanilla method, fed from memory and from the LMDB of WebP
images. All are measured in turns, and a speed follows from the median time. It needs lmdb, which the extra `test`
installs.
"""

import argparse
import functools
import hashlib
import io
import json
import pathlib
import tempfile
import time
from collections.abc import Callable, Iterator

import keras
import lmdb
import numpy as np
import setting
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_sample_image

import akdg_tf
from akdg_tf.data import Dataset, ImageDataset, by_step, load_dataset
from akdg_tf.data.images import ImageArrays, to_uint8
from akdg_tf.data.streamed import StreamedImages
from akdg_tf.training.devices import make_strategy

LSUN_SIZE = (341, 256)  # width and height
KINDS = {"jpeg": "jpg", "webp": "webp"}  # with the suffix of a file
WIDTHS = {64: (256, 128, 64, 32, 32), 256: (512, 256, 128, 64, 32, 32, 16)}  # of the student; of LSUN's at 256
IN_MEMORY = 200  # images of the training that is fed from memory; also those whose cost is measured
CRITIC = {64: (32, 64, 128, 256), 256: (16, 32, 64, 128, 256, 256)}


def contents(kind: str, count: int) -> Iterator[bytes]:
    """Encoded images, all different."""
    photographs = [Image.fromarray(load_sample_image(name)) for name in ("china.jpg", "flower.jpg")]
    numbers, (width, height) = np.random.default_rng(0), LSUN_SIZE
    for number in range(count):
        photograph = photographs[number % 2]
        left, top = numbers.integers(0, (photograph.width - width + 1, photograph.height - height + 1)).tolist()
        file = io.BytesIO()
        photograph.crop((left, top, left + width, top + height)).save(file, kind, quality=75)
        yield file.getvalue()


def write_sources(folder: pathlib.Path, count: int) -> dict[str, pathlib.Path]:
    """A folder of files and an LMDB environment of each kind, by the names "folder.jpeg" and so on."""
    places = {f"{source}.{kind}": folder / source / kind for source in ("folder", "lmdb") for kind in KINDS}
    for kind, suffix in KINDS.items():
        files = places[f"folder.{kind}"]
        files.mkdir(parents=True)
        places[f"lmdb.{kind}"].mkdir(parents=True)
        with lmdb.open(str(places[f"lmdb.{kind}"]), map_size=1 << 32) as database, database.begin(write=True) as writer:
            for content in contents(kind, count):
                key = hashlib.sha1(content).hexdigest()
                (files / f"{key}.{suffix}").write_bytes(content)
                writer.put(key.encode(), content)
    return places


def draws(dataset: Dataset, batch: int, batches: int) -> Callable[[], object]:
    """A function that draws this many batches by a new pipeline."""
    return lambda: [len(images) for images in pipeline(dataset, batch, batches)]


def cpu_ms(dataset: StreamedImages) -> float:
    """Milliseconds of one core that an image takes, whatever else runs."""
    start = time.process_time()
    dataset.read(range(IN_MEMORY))
    return (time.process_time() - start) * 1e3 / IN_MEMORY


def pipeline(dataset: Dataset, batch: int, batches: int) -> tf.data.Dataset:
    """The pipeline that feeds a training."""
    return by_step(lambda step: dataset.batch(step, batch, seed=0), 0, batches)


def trainings(side: int, datasets: dict[str, Dataset], batch: int, steps: int) -> dict[str, Callable[[], object]]:
    """Functions that train a student for some steps, each on one of the datasets, by a new pipeline; by its name."""
    with make_strategy("cpu").scope():
        generator = akdg_tf.DCGANGenerator(256, (side, side, 3), WIDTHS[side])
        trainer = akdg_tf.GAN(generator, akdg_tf.ConvDiscriminator(CRITIC[side]), penalty=None)
        trainer.compile(keras.optimizers.Adam(1e-4))
    trainer.make_train_function()

    def train(dataset):
        batches = iter(pipeline(dataset, batch, steps))
        for _ in range(steps):
            trainer.train_function(batches)

    return {name: functools.partial(train, dataset) for name, dataset in datasets.items()}


def in_memory(dataset: ImageDataset) -> ImageArrays:
    """Images that need not be decoded."""
    return ImageArrays("memory", "memory", to_uint8(dataset.reals(IN_MEMORY, 0)), np.zeros(IN_MEMORY, np.int64))


def speeds(side: int, places: dict[str, pathlib.Path], batch: int, batches: int, rounds: int) -> dict[str, float]:
    """What an image costs at one size, and the images per second, by what draws or consumes them."""
    found = {name: load_dataset(name.partition(".")[0], place, (side, side, 3)) for name, place in places.items()}
    functions = {name: draws(dataset, batch, batches) for name, dataset in found.items()}
    fed = {"training.memory": in_memory(found["lmdb.webp"]), "training.lmdb.webp": found["lmdb.webp"]}
    functions |= trainings(side, fed, batch, batches)
    costs = {f"{name}.{side}_cpu_ms_per_image": setting.compact(cpu_ms(dataset)) for name, dataset in found.items()}
    seconds = setting.interleaved(functions, rounds)
    return costs | {f"{name}.{side}_images_per_s": setting.compact(batch * batches / s) for name, s in seconds.items()}


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sides", nargs="+", type=int, default=list(WIDTHS), choices=WIDTHS)
    parser.add_argument("--images", type=int, default=2000, help="images per source")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--batches", type=int, default=16, help="batches per measurement")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    line = {"benchmark": "image_pipeline", **setting.machine(), **vars(arguments)}
    with tempfile.TemporaryDirectory() as folder:
        places = write_sources(pathlib.Path(folder), arguments.images)
        for name, place in places.items():
            line[f"{name}.mb"] = setting.compact(sum(file.stat().st_size for file in place.iterdir()) / 1e6)
        for side in arguments.sides:
            line |= speeds(side, places, arguments.batch, arguments.batches, arguments.rounds)
    print(json.dumps(line))


if __name__ == "__main__":
    main()

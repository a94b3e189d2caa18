"""What the weights of `model.tflite` cost: python benchmarks/quantize.py mnist_dcgan_akdg mnist_mlp_akdg.

Prints one JSON line per generator of the zoo that draws MNIST digits or CIFAR-10: for each kind of weights the size of
the file, the Frechet distances of its images, and the largest and the mean difference of a pixel from the SavedModel's.
Nothing is fine-tuned.
"""

import argparse
import functools
import json
import pathlib
import tempfile

import numpy as np
import setting
import tensorflow as tf

from akdg_tf import latents, load_dataset, load_network
from akdg_tf.artifacts.litert import FILE, LiteRT
from akdg_tf.artifacts.quantization import WEIGHTS
from akdg_tf.data.registry import reads_folder
from akdg_tf.metrics.classifiers import load_classifier
from akdg_tf.metrics.evaluation import score_all
from akdg_tf.metrics.scores import ImageScores
from akdg_tf.teachers.frozen import FrozenGenerator
from akdg_tf.teachers.load import load_teacher

COMPARED = 64
SCORED = {  # dataset and classifiers, by the family of the entry
    "mnist": ("mnist5k", ("mnist_classifier",)),
    "cifar10": ("cifar10", ("cifar10_classifier", "imagenet_efficientnet_lite0")),
}


@functools.cache
def scored(family: str, data_dir: str | None, samples: int):
    """The dataset of a family, and its scores by classifier, prepared once for all entries of the family."""
    name, classifiers = SCORED[family]
    dataset = load_dataset(name, data_dir if reads_folder(name) else None)
    scores = {each: ImageScores(functools.partial(load_classifier, each), samples) for each in classifiers}
    for each in scores.values():
        each.prepare(dataset)
    return dataset, scores


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", help="entries of the zoo that draw MNIST digits or CIFAR-10")
    parser.add_argument("--data_dir", help="folder with CIFAR-10; keras.datasets downloads it otherwise")
    parser.add_argument("--samples", type=int, default=5000)
    arguments = parser.parse_args()
    for name in arguments.names:
        dataset, scores = scored(name.partition("_")[0], arguments.data_dir, arguments.samples)
        network = load_network(name)
        line = {"benchmark": "quantize", **setting.machine(), "name": name, "samples": arguments.samples}
        prior = latents.prior_of(network)
        saved = FrozenGenerator(functools.partial(network, training=False), network.latent_dim, prior, module=network)
        files = {"saved_model": saved}
        with tempfile.TemporaryDirectory() as place:
            for weights in WEIGHTS:
                folder = pathlib.Path(place, weights)
                folder.mkdir()
                LiteRT(weights).write(network, folder)
                files[weights] = load_teacher(str(folder / FILE))
                line[f"{weights}.bytes"] = (folder / FILE).stat().st_size
            z = latents.draw(prior, COMPARED, network.latent_dim, (0, latents.PROBE), tf.constant(0, tf.int64))
            for weights, found in score_all(scores, files, dataset).items():
                apart = np.abs(files[weights](z) - saved(z)) / 2
                distances = {metric: score.value for metric, score in found.items() if metric.startswith("fid")}
                line |= {f"{weights}.{metric}": setting.compact(value) for metric, value in distances.items()}
                line[f"{weights}.largest"] = setting.compact(float(apart.max()))
                line[f"{weights}.mean"] = setting.compact(float(apart.mean()))
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()

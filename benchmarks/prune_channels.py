"""Which importance of channels keeps the images: python benchmarks/prune_channels.py mnist_dcgan_akdg.

Prints one JSON line: the mnist-classifier's FID of a generator of the zoo, and of what PruneChannels leaves at a half
and a quarter of its mult-adds, by each importance and by chance. Nothing is fine-tuned. Only the statistics of batch
norm are measured again, because a fine-tuning would do it within its first steps.
"""

import argparse
import functools
import json

import keras
import numpy as np
import setting
import tensorflow as tf

from akdg_tf import load_dataset, load_network
from akdg_tf.compat import layers_of
from akdg_tf.compression import importance
from akdg_tf.compression.channel_groups import groups_of
from akdg_tf.compression.channels import PruneChannels
from akdg_tf.metrics.classifiers import load_classifier
from akdg_tf.metrics.evaluation import score_all
from akdg_tf.metrics.scores import ImageScores
from akdg_tf.models.counting import cost_of
from akdg_tf.models.generators import Generator
from akdg_tf.teachers.frozen import FrozenGenerator

SHARES = (2, 4)
STEPS, BATCH, MOMENTUM = 30, 256, 0.8  # of the new batch statistics


def by_chance(generator: Generator, groups: list) -> list[np.ndarray]:
    """Importances that mean nothing, for comparison."""
    return [np.random.default_rng(number).random(group.size) for number, group in enumerate(groups)]


def measure_statistics(generator: Generator) -> None:
    """Gives batch norm the statistics of the pruned network."""
    for layer in layers_of(generator):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = MOMENTUM
    for step in range(STEPS):
        generator(tf.random.stateless_normal((BATCH, generator.latent_dim), (0, step)), training=True)


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="an entry of the zoo that draws MNIST digits, without labels")
    parser.add_argument("--samples", type=int, default=5000)
    arguments = parser.parse_args()
    importance.IMPORTANCES["chance"] = by_chance
    source = load_network(arguments.name)
    dataset = load_dataset("mnist5k", None, source.sample_shape)
    scores = ImageScores(functools.partial(load_classifier, "mnist_classifier"), arguments.samples)
    scores.prepare(dataset)

    def fid(generator: Generator) -> float:
        frozen = FrozenGenerator(functools.partial(generator, training=False), generator.latent_dim, module=generator)
        return setting.compact(score_all({"s": scores}, {"g": frozen}, dataset)["g"]["fid[mnist-classifier]"].value)

    line = {"benchmark": "prune_channels", **setting.machine(), **vars(arguments), "fid": fid(source)}
    for share in SHARES:
        for name in importance.IMPORTANCES:
            pruned = PruneChannels(max_mult_adds=cost_of(source).mult_adds // share, importance=name)(source)
            measure_statistics(pruned)
            line[f"1/{share}.{name}.fid"] = fid(pruned)
            line[f"1/{share}.{name}.channels"] = [group.size for group in groups_of(pruned)]
    print(json.dumps(line))


if __name__ == "__main__":
    main()

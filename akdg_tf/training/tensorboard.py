"""What a run writes for TensorBoard besides losses: pictures, histograms, configuration, hyperparameters, scores."""

import collections
import contextlib
import re
from collections.abc import Callable, Mapping

import gin
import keras
import numpy as np
import tensorflow as tf
from tensorboard.plugins.histogram.summary_v2 import histogram_pb
from tensorboard.plugins.hparams import api as hparams_api

from akdg_tf.artifacts.result import Result
from akdg_tf.reporting.pictures import Picture
from akdg_tf.training.workdir import Run

Tensors = Callable[[int], Mapping[str, tf.Tensor | keras.Variable]]


class Pictures(keras.callbacks.Callback):
    """Writes a picture of generated samples at regular intervals.

    Args:
        draw: returns the picture, uint8 [height, width, 3].
        writer: TensorBoard's writer.
        every: steps per interval.
        intervals: intervals per picture.
    """

    def __init__(self, draw: Picture, writer: tf.summary.SummaryWriter, every: int, intervals: int):
        super().__init__()
        self.draw, self.writer, self.every, self.intervals = draw, writer, every, intervals

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.intervals == 0:
            with self.writer.as_default((epoch + 1) * self.every):
                tf.summary.image("samples", np.asarray(self.draw())[None])


class Histograms(keras.callbacks.Callback):
    """Writes histograms of weights and latents at regular intervals.

    Args:
        tensors: maps a step to its tensors, by tag.
        writer: TensorBoard's writer.
        every: steps per interval.
        intervals: intervals per set of histograms.
    """

    def __init__(self, tensors: Tensors, writer: tf.summary.SummaryWriter, every: int, intervals: int):
        super().__init__()
        self.tensors, self.writer, self.every, self.intervals = tensors, writer, every, intervals

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.intervals == 0:
            step = (epoch + 1) * self.every
            with self.writer.as_default(step):
                for tag, values in self.tensors(step).items():
                    summary = histogram_pb(tag, np.asarray(values))  # in NumPy: faster than tf.summary.histogram
                    tf.summary.experimental.write_raw_pb(summary.SerializeToString())


def weights_by_tag(networks: Mapping[str, keras.Model]) -> dict[str, keras.Variable]:
    """All weights of some networks, trainable or not, by their tag `weights/<network>/<layer>/<weight>`.

    Keras numbers layers within the process, so a weight's name depends on the networks that were made before. Here the
    layers of each kind are numbered within their network, so a weight has the same tag in all runs. `Sequential`
    containers are left out of the tag.

    Args:
        networks: built models, by the name in the tags.
    """
    return {
        f"weights/{name}/{path}": weight
        for name, network in networks.items()
        for path, weight in zip(_paths(network), network.weights, strict=True)
    }


def _paths(network: keras.Model) -> list[str]:
    """Path of each weight within its network, such as "dense_1/kernel"."""
    # For each kind of layer, the number of each layer by the path to it.
    layers_by_kind: dict[str, dict[tuple[str, ...], int]] = collections.defaultdict(dict)
    paths = []
    for weight in network.weights:
        path = weight.path.split("/")
        below = path.index(network.name) + 1 if network.name in path else 0
        shown = []
        for end in range(below, len(path) - 1):
            kind = re.sub(r"_\d+$", "", path[end])
            layers = layers_by_kind[kind]
            number = layers.setdefault(tuple(path[: end + 1]), len(layers))
            if kind != "sequential":
                shown.append(f"{kind}_{number}" if number else kind)
        paths.append("/".join([*shown, path[-1]]))
    return paths


def write_configuration(run: Run, writer: tf.summary.SummaryWriter) -> None:
    """Writes the gin configuration as text, as given and as used, and the hyperparameters for the HPARAMS tab."""
    texts = {"gin/config": run.bindings, "gin/operative_config": gin.operative_config_str()}
    identity = {"experiment": run.experiment, "seed": run.seed} | ({"smoke": True} if run.smoke else {})
    with writer.as_default(0):
        hparams_api.hparams({**run.hyperparameters, **identity})
        for tag, text in texts.items():
            if text.strip():
                tf.summary.text(tag, f"```\n{text.strip()}\n```")


def write_scores(run: Run, result: Result) -> None:
    """Writes the final scores as scalars, which the HPARAMS tab shows beside the hyperparameters.

    Args:
        run: its folder `events` is written to.
        result: the result of `evaluate`.
    """
    writer = tf.summary.create_file_writer(str(run.path("events")))
    with contextlib.closing(writer), writer.as_default(result.steps):
        for name, score in result.network.scores.items():
            tf.summary.scalar(f"metrics/{name}", score.value)

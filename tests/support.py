"""What tests of several modules share: where the repository lies, small networks and trainers, fixed images."""

import functools
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import akdg_tf
from akdg_tf.artifacts.result import SCHEMA, Network, Result, Score
from akdg_tf.metrics.classifiers import Classifier

ROOT = pathlib.Path(__file__).parent.parent
SAMPLE_SHAPE = (8, 8, 1)
FEATURES = 6  # of `fake_classifier`


def quick(values, *some, name=str):
    """Parameters of a test, of which `make test` takes some, by their names, and `make long` the others."""
    named = {name(value): value for value in values}
    assert named.keys() >= set(some)
    marks = {label: () if label in some else pytest.mark.long for label in named}
    return [pytest.param(value, id=label, marks=marks[label]) for label, value in named.items()]


@functools.cache
def mirrored(devices):
    """One strategy for each set of devices: a second one in a process takes the first one's collective keys."""
    return tf.distribute.MirroredStrategy(list(devices))


def on_two_replicas(function):
    """What a function gives on each of two replicas, in a graph as in a training step: two arrays."""
    strategy = mirrored(("CPU:0", "CPU:1"))
    results = tf.function(lambda: strategy.experimental_local_results(strategy.run(function)))()
    return [result.numpy() for result in results]


def replica_number():
    """Of the replica that calls it, 0 or 1."""
    return tf.distribute.get_replica_context().replica_id_in_sync_group


def make_teacher(latent_dim=4):
    """A random fixed generator of 8x8 images, and its Keras model."""
    model = akdg_tf.MLPGenerator(latent_dim, SAMPLE_SHAPE, width=16, depth=1, use_batch_norm=True)
    return akdg_tf.FrozenGenerator(model, latent_dim, module=model), model


def make_resnet(blocks_per_resolution=1, use_batch_norm=False, **settings):
    """A small generator of 8x8 images with residual blocks."""
    given = {"latent_dim": 4, "width": 4, "blocks": 1, **settings}
    shape = {"sample_shape": SAMPLE_SHAPE, "blocks_per_resolution": blocks_per_resolution}
    return akdg_tf.SNGANGenerator(use_batch_norm=use_batch_norm, **shape, **given)


def make_trainer(method, seed=0, use_batch_norm=False, micro_batches=1, **settings):
    """A compiled trainer of a small student, its weights fixed by the seed 0."""
    keras.utils.set_random_seed(0)
    if method is akdg_tf.LIT:
        student, teacher = make_resnet(1, use_batch_norm), akdg_tf.FrozenChunks(make_resnet(2, use_batch_norm))
    else:
        student = akdg_tf.MLPGenerator(4, SAMPLE_SHAPE, width=16, depth=2, use_batch_norm=use_batch_norm)
        teacher, _ = make_teacher()
    parts = {
        akdg_tf.GAN: lambda: (discriminator(),),
        akdg_tf.AKDG: lambda: (discriminator(), discriminator(), teacher),
        akdg_tf.MSEDistillation: lambda: (teacher,),
        akdg_tf.LIT: lambda: (teacher,),
    }[method]()
    trainer = method(student, *parts, seed=seed, **settings)
    trainer.compile(keras.optimizers.SGD(0.05), micro_batches=micro_batches)
    return trainer


def discriminator(classes=0):
    return akdg_tf.ConvDiscriminator((4, 8), classes=classes)


def not_gray(model):
    """Gives a new generator larger weights in its last layer, so that its images are not all gray; returns it."""
    *others, kernel, bias = model.get_weights()
    model.set_weights([*others, 10 * kernel, bias])
    return model


def bicubic_generator(latent_dim, sample_shape):
    """A plain Keras generator with a layer that LiteRT cannot convert."""
    height, width, channels = sample_shape
    small = (height // 2, width // 2, channels)
    layers = [keras.layers.Dense(height * width * channels // 4), keras.layers.Reshape(small)]
    layers += [keras.layers.UpSampling2D(interpolation="bicubic"), keras.layers.Activation("tanh", dtype="float32")]
    return keras.Sequential([keras.Input((latent_dim,)), *layers])


def image_batches(steps, batch=8):
    """Fixed images in [-1, 1], float32 [batch, 8, 8, 1], without hidden state."""
    images = tf.random.stateless_uniform((steps * batch, *SAMPLE_SHAPE), (1, 2), -1.0, 1.0)
    return tf.data.Dataset.from_tensor_slices(images).batch(batch, drop_remainder=True)


def fake_classifier(name="mnist-classifier"):
    """Of images of 4x4. Features are fixed linear functions of the pixels, logits of the features."""
    rng = np.random.default_rng(0)
    to_features, to_logits = rng.normal(size=(16, FEATURES)), rng.normal(size=(FEATURES, 4))

    def outputs(images):
        features = tf.reshape(images, (-1, 16)) @ tf.constant(to_features, tf.float32)
        return {"logits": features @ tf.constant(to_logits, tf.float32), "features": features}

    return Classifier(name, "none", "digest", outputs)


def made_up_score(value, classifier="x", **settings):
    """A score of 100 real and 100 generated images."""
    record = {"evaluation": "scores", "n_real": 100, "n_fake": 100, "classifier": classifier, "dataset": "mnist5k"}
    return Score(value, **{**record, "split": "train", "resize": "none", "seed": 0, **settings})


def made_up_network(name, scores=None):
    """Costs of a small MLP."""
    return Network(name, "MLPGenerator", 2, 100, 90, 90, 400, 4, 1000, 50, scores or {})


def made_up_result(scores=None, **settings):
    """The result of a made-up student of ten steps."""
    values = {"schema": SCHEMA, "kind": "student", "experiment": "x", "method": "AKDG", "steps": 10, "seed": 0}
    values |= {"network": made_up_network("x", scores), "teacher": made_up_network("t", scores), "parents": ()}
    values |= {"dataset": "mnist5k", "split": "train", "data_digest": None, "smoke": False, "command": "run"}
    return Result(**{**values, "gin_files": ("x.gin",), "gin_params": (), "machine": "m", **settings})


def python(*arguments, cwd=ROOT, **environment):
    """Runs Python in a folder, by default the repository's, with variables added to the environment."""
    command, environment = [sys.executable, *arguments], {**os.environ, **environment}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def run(*arguments, cwd=ROOT, **environment):
    """Runs `run.py` in a folder, by default the repository's."""
    return python(ROOT / "run.py", *arguments, cwd=cwd, **environment)


def train(experiment):
    """Trains an experiment as `akdg run` does, in its own folder; returns it."""
    experiment.prepare_data(evaluating=True)
    experiment.prepare(training=True)
    with experiment.run.claim():
        experiment.train()
    return experiment

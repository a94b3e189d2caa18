"""The private API of TensorFlow and Keras that is used, all of it: what a new version may break is here.

One more trick stands where it is needed: `metrics/tfgan.py` imports TF-GAN's evaluation without the package around it,
which fails on TensorFlow 2.16 and later. Of gin, TensorBoard and LiteRT only public names are used.
"""

import keras
import tensorflow as tf
from tensorflow.python.framework import convert_to_constants


def layers_of(model: keras.Model) -> list[keras.layers.Layer]:
    """A model and all layers in it, at any depth.

    `Model.layers` gives the first level alone, and a `Layer` that is no `Model` has no public list of its own layers.
    Private as of Keras 3.15.
    """
    return model._flatten_layers()


def empty_trackable():
    """An object whose attributes a SavedModel keeps: functions, lists of variables.

    `tf.Module` does not take the attributes `variables` and `trainable_variables` that TF Hub reads, because it has
    properties of these names. Private as of TensorFlow 2.21.
    """
    return tf.__internal__.tracking.AutoTrackable()


def graph_with_constants(function: tf.types.experimental.ConcreteFunction) -> tf.Graph:
    """The graph of a function, its calls inlined and its variables constants: the one that `tf.lite` converts.

    It is what layers and multiply-adds are counted on. Private as of TensorFlow 2.21.
    """
    return convert_to_constants.convert_variables_to_constants_v2(function).graph

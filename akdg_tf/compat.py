"""All uses of private APIs of TensorFlow and Keras: new versions may break what is here.

There is one other workaround: `metrics/tfgan.py` imports TF-GAN's evaluation without the package around it, which fails
to import on TensorFlow 2.16 and later. From gin, TensorBoard and LiteRT only public names are used.
"""

import keras
import tensorflow as tf
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.python.framework import convert_to_constants


def layers_of(model: keras.Model) -> list[keras.layers.Layer]:
    """A model and all layers in it, at any depth.

    `Model.layers` lists only the first level, and a plain `Layer` has no public list of the layers in it. Private as of
    Keras 3.15.
    """
    return model._flatten_layers()


def empty_trackable():
    """An object whose attributes (functions, lists of variables) are saved in a SavedModel.

    `tf.Module` does not take the attributes `variables` and `trainable_variables` that TF Hub reads, because it has
    properties of these names. Private as of TensorFlow 2.21.
    """
    return tf.__internal__.tracking.AutoTrackable()


def graph_with_constants(function: tf.types.experimental.ConcreteFunction) -> tf.Graph:
    """The graph of a function with calls inlined and variables turned into constants, as `tf.lite` converts it.

    Layers and multiply-adds are counted on it. Private as of TensorFlow 2.21.
    """
    return convert_to_constants.convert_variables_to_constants_v2(function).graph


def session_graph_with_constants(session: tf.compat.v1.Session, graph: GraphDef, ends: list[str]) -> GraphDef:
    """The part of a TensorFlow 1 graph that some operations need, with the session's values for variables.

    The public function of the same purpose logs that it is deprecated. Private as of TensorFlow 2.21.
    """
    return convert_to_constants.convert_variables_to_constants_from_session_graph(session, graph, ends)


def stored_value(variable: keras.Variable) -> tf.Tensor:
    """The value of a variable in the dtype in which it is stored.

    Under a mixed policy a layer reads its variables cast to its compute dtype. Private as of Keras 3.15.
    """
    return tf.convert_to_tensor(variable._value)

"""SavedModels of TensorFlow 1, such as the modules of TF1 Hub: a graph, whose variables become constants.

`tf.saved_model.load` takes them too, but variables of TensorFlow 1's own kind (references) then have no values on a
second replica, and are neither counted nor part of a digest. As constants they are all of this.
"""

import os
import pathlib
from typing import Any

import tensorflow as tf
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef, TensorInfo

from akdg_tf.compat import session_graph_with_constants

tf1 = tf.compat.v1


class GraphFunction:
    """A signature of a TensorFlow 1 graph, as a function of its inputs by name. It returns its outputs by name.

    Args:
        meta_graph: the graph with its signatures.
        signature: name of the signature.
        checkpoint: path of the variables' values, without suffix.

    Attributes:
        specs: the inputs by name.
        variables: shapes and dtypes of the variables that the outputs depend on.
        trainable_variables: those of the variables that were trained. Averages of weights (EMA) are not marked as such:
            where the outputs depend on no other variables, all count.

    Raises:
        tf.errors.OpError, ValueError, RuntimeError: the graph or the values of its variables cannot be read.
    """

    def __init__(self, meta_graph: MetaGraphDef, signature: str, checkpoint: pathlib.Path):
        chosen = meta_graph.signature_def[signature]
        inputs, outputs = dict(sorted(chosen.inputs.items())), dict(sorted(chosen.outputs.items()))
        self.specs = {name: _spec(each) for name, each in inputs.items()}
        ends = [each.name.split(":")[0] for each in (*inputs.values(), *outputs.values())]
        graph_def = self._read(meta_graph, ends, checkpoint)
        whole = tf1.wrap_function(lambda: tf.import_graph_def(graph_def, name=""), [])
        fed = [whole.graph.as_graph_element(each.name) for each in inputs.values()]
        given = {name: whole.graph.as_graph_element(each.name) for name, each in outputs.items()}
        self._function = whole.prune(fed, given)

    def _read(self, meta_graph: MetaGraphDef, ends: list[str], checkpoint: pathlib.Path) -> GraphDef:
        """The part of the graph that inputs and outputs need, with constants for variables, which are noted."""
        on_cpu = tf1.ConfigProto(device_count={"GPU": 0})
        with tf.Graph().as_default() as graph, tf1.Session(config=on_cpu) as session:
            saver = tf1.train.import_meta_graph(meta_graph, clear_devices=True)
            if saver:
                saver.restore(session, os.fspath(checkpoint))
            graph_def = session_graph_with_constants(session, graph.as_graph_def(), ends)
            needed = {node.name for node in graph_def.node}  # a variable's constant has its name
            trained = {variable.name for variable in tf1.trainable_variables()}
            variables = [each for each in tf1.global_variables() if each.op.name in needed]
        self.variables = [tf.TensorSpec(each.shape, each.dtype.base_dtype, each.name) for each in variables]
        trainable = [each for each in self.variables if each.name in trained]
        self.trainable_variables = trainable or self.variables
        return graph_def

    def __call__(self, **fed: tf.Tensor) -> dict[str, Any]:
        """The outputs by name, for all inputs by name."""
        return self._function(*(fed[name] for name in self.specs))


def _spec(info: TensorInfo) -> tf.TensorSpec:
    """The shape and dtype of an input."""
    return tf.TensorSpec(tf.TensorShape(info.tensor_shape), info.dtype)

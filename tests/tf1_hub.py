"""Writes modules of TF1 Hub. The packages that made them cannot be installed beside TensorFlow 2.16 and later."""

import contextlib

import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

tf1 = tf.compat.v1
FORMAT_3 = b"\x08\x03"  # of `tfhub_module.pb`


def write_module(folder, graphs, values):
    """Writes the files that `hub.Module.export` of tensorflow_hub 0.12 writes.

    Args:
        folder: of the module.
        graphs: for each graph its tags and a function that builds it. It returns signatures by name, each a pair of
            inputs and outputs by name.
        values: of the variables, by name; those of the first graph are all that there are.
    """
    proto = SavedModel(saved_model_schema_version=1)
    for name in ("assets", "variables"):
        (folder / name).mkdir(parents=True)
    for tags, build in graphs:
        with tf.Graph().as_default():
            signatures = build()
            graph = tf1.train.export_meta_graph(strip_default_attrs=True)  # without a saver
            graph.meta_info_def.tags.extend(tags)
            for name, (inputs, outputs) in signatures.items():
                _note(inputs, graph.signature_def[name].inputs)
                _note(outputs, graph.signature_def[name].outputs)
            if not proto.meta_graphs:
                _save(values, folder / "variables" / "variables")
        proto.meta_graphs.append(graph)
    (folder / "saved_model.pb").write_bytes(proto.SerializeToString())
    (folder / "tfhub_module.pb").write_bytes(FORMAT_3)


def _note(tensors, infos):
    for name, tensor in tensors.items():
        infos[name].name, infos[name].dtype = tensor.name, tensor.dtype.as_datatype_enum
        infos[name].tensor_shape.CopyFrom(tensor.shape.as_proto())


def _save(values, path):
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        session.run([tf1.assign(each, values[each.op.name]) for each in tf1.global_variables()])
        tf1.train.Saver(sharded=True).save(session, str(path), write_meta_graph=False, write_state=False)


@contextlib.contextmanager
def reference_variables(chosen):
    """Makes variables of TensorFlow 1's own kind, as before resource variables, if that is chosen."""
    with tf1.variable_scope("", use_resource=not chosen):
        yield


def variable(name, shape, trainable=True):
    """A variable of zeros: a module whose values are not restored draws black squares."""
    return tf1.get_variable(name, shape, initializer=tf1.zeros_initializer(), trainable=trainable)

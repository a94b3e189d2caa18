"""A digest of what a frozen generator computes: equal for equal graphs, in every process."""

import hashlib
from collections.abc import Mapping

import tensorflow as tf

from akdg_tf.models.counting import CALLS_PYTHON

# Operations that may compute from what the graph does not hold: Python, variables that were not frozen (also
# TensorFlow 1's), tables.
HIDDEN = {*CALLS_PYTHON, "VarHandleOp", "ReadVariableOp", "ResourceGather", "HashTableV2", "LookupTableFindV2"}
HIDDEN |= {"Variable", "VariableV2"}
LOOP = b"next iteration"  # in place of an input that itself depends on the operation
PER_PROCESS = {"shared_name", "container", "token", "config_proto"}  # attributes that name things of this process


def digest(graph: tf.Graph) -> str:
    """SHA-256, in hex, of the outputs of a graph: of every operation that they depend on, with attributes and inputs.

    Args:
        graph: a function's graph, with its weights as constants. Names of operations do not matter.
    """
    functions = {function.signature.name: function for function in graph.as_graph_def().library.function}
    known: dict[tf.Operation, bytes] = {}
    arguments = {tensor.op: str(number).encode() for number, tensor in enumerate(graph.inputs)}
    for operation in _in_order([tensor.op for tensor in graph.outputs]):
        inputs = [known.get(tensor.op, LOOP) + str(tensor.value_index).encode() for tensor in operation.inputs]
        controls = sorted(known.get(each, LOOP) for each in operation.control_inputs)
        parts = [operation.type.encode(), *_attributes(operation.node_def.attr, functions, ())]
        known[operation] = _hash([arguments.get(operation, b""), *parts, *inputs, *controls])
    return _hash([known[tensor.op] + str(tensor.value_index).encode() for tensor in graph.outputs]).hex()


def has_hidden_state(graph: tf.Graph) -> bool:
    """Whether the outputs may depend on more than the graph holds."""
    called = (node.op for function in graph.as_graph_def().library.function for node in function.node_def)
    return any(kind in HIDDEN for kind in (*(operation.type for operation in graph.get_operations()), *called))


def _in_order(outputs: list[tf.Operation]) -> list[tf.Operation]:
    """The operations that some operations depend on, and these themselves, each after its inputs, except in loops."""
    ordered: list[tf.Operation] = []
    entered: set[tf.Operation] = set()
    left = [(operation, False) for operation in outputs]
    while left:
        operation, is_ready = left.pop()
        if is_ready:
            ordered.append(operation)
        elif operation not in entered:
            entered.add(operation)
            before = [*(tensor.op for tensor in operation.inputs), *operation.control_inputs]
            left += [(operation, True), *((each, False) for each in before)]
    return ordered


def _attributes(attributes: Mapping, functions: Mapping, within: tuple[str, ...]) -> list[bytes]:
    """The attributes of an operation. A function, such as the body of a loop, stands for what it computes."""
    found = []
    for name in sorted(attributes):
        if name.startswith("_") or name in PER_PROCESS:
            continue
        value = attributes[name]
        called = [each.name for each in ([value.func] if value.HasField("func") else value.list.func)]
        content = [_function(functions, each, within) for each in called]
        found += [name.encode(), *(content or [value.SerializeToString(deterministic=True)])]
    return found


def _function(functions: Mapping, name: str, within: tuple[str, ...]) -> bytes:
    """The digest of a function of the graph's library; of the name alone if it calls itself or is not there."""
    if name not in functions or name in within:
        return b"recursive" if name in within else name.encode()
    function = functions[name]
    parts = []
    for node in sorted(function.node_def, key=lambda node: node.name):
        inner = _attributes(node.attr, functions, (*within, name))
        parts += [node.name.encode(), node.op.encode(), *(each.encode() for each in node.input), *inner]
    returned = [f"{key}={value}".encode() for key, value in sorted(function.ret.items())]
    return _hash([*parts, *returned])


def _hash(parts: list[bytes]) -> bytes:
    """SHA-256 of parts, each with its length, so that no two lists of parts look alike."""
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "big") + part)
    return total.digest()

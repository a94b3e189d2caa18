"""Loads frozen generators from SavedModels: ours, and those of others."""

import contextlib
import json
import logging
import os
import pathlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from akdg_tf.errors import UserError, said_in
from akdg_tf.files import open_regular, read_small
from akdg_tf.latents import is_prior
from akdg_tf.teachers.foreign import ForeignFunction, Reading
from akdg_tf.teachers.frozen import FrozenGenerator
from akdg_tf.teachers.probing import reason_of
from akdg_tf.teachers.tf1 import GraphFunction

logger = logging.getLogger(__name__)

ASSUMED_RANGE = {"uint8": (0.0, 255.0)}  # by dtype of the images; (0, 1) for all others
SIGNATURE = "serving_default"
USUAL_TAGS: tuple[frozenset[str], ...] = (
    frozenset(["serve"]),
    frozenset(),
)  # of the graph for inference: SavedModels, modules of TF1 Hub

Range = Sequence[float] | None


def load_generator(
    folder: pathlib.Path,
    latent_dim: int | None = None,
    prior: str | None = None,
    output_range: Range = None,
    signature: str | None = None,
    reading: Reading = Reading(),
    tags: Sequence[str] | None = None,
) -> FrozenGenerator:
    """Loads the generator in a SavedModel folder, frozen.

    Args:
        folder: holds `saved_model.pb`.
        latent_dim: size of the latent; default: read from the SavedModel.
        prior: "normal", "uniform", or "normal, 10 classes" (`latents.draw`); default: the prior that our export
            recorded, else "normal".
        output_range: smallest and largest value of the outputs; default: as our export recorded, else (0, 255) for
            uint8 and (0, 1) for other dtypes.
        signature: name of the signature to call. By default the SavedModel itself is called. If it is not callable, its
            only signature is, or `serving_default`.
        reading: what a foreign SavedModel does not tell.
        tags: tags of the graph to load, for a SavedModel that holds several; default: ("serve",), or the only ones.

    Returns:
        The generator.

    Raises:
        UserError: it is damaged or needs an operation that is not there, something has to be bound, or its images are
            not finite or outside `output_range`.
    """
    graph, meta = _graph(folder, tags), _meta(folder)
    if meta.get("smoke"):
        logger.warning("the generator in %s was made by a smoke run: its images are noise", folder)
    module, call, specs, where = _loaded(folder, graph, signature)
    function = ForeignFunction(call, specs, latent_dim or meta.get("latent_dim"), reading, where)
    stated = output_range or meta.get("output_range")
    return frozen(function, prior or meta.get("prior"), stated, where, module, folder)


def frozen(
    function: ForeignFunction,
    prior: str | None,
    output_range: Range,
    where: str,
    module: object = None,
    folder: pathlib.Path | None = None,
) -> FrozenGenerator:
    """A frozen generator of a foreign function, checked on some samples; an assumed range is logged.

    Raises:
        UserError: it fails, or its samples are not finite or outside the range.
    """
    low, high = output_range or ASSUMED_RANGE.get(function.dtype.name, (0.0, 1.0))
    prior, batch = prior or "normal", function.batch
    generator = FrozenGenerator(function, function.latent_dim, prior, (low, high), module, folder, batch)
    try:
        generator.check(where, "load_teacher.output_range")
    except tf.errors.OpError as error:
        raise UserError(said_in(error.message) or f"{where} fails: {reason_of(error)}") from error
    if not output_range:
        logger.info("%s: its images are taken to be in the range %s", where, (low, high))
    return generator


def _loaded(
    folder: pathlib.Path, graph: MetaGraphDef, signature: str | None
) -> tuple[object, Callable[..., Any], Mapping[str, tf.TensorSpec], str]:
    """What holds the variables, the function to call, its inputs by name, and how messages name it."""
    if graph.HasField("object_graph_def"):
        with _explained(folder):
            module = tf.saved_model.load(os.fspath(folder), tags=list(graph.meta_info_def.tags))
        return module, *_function(module, signature, folder)
    name = _signature(signature, graph.signature_def, folder)
    with _explained(folder):
        function = GraphFunction(graph, name, folder / "variables" / "variables")
    return function, function, function.specs, f"signature {name!r} in {folder}"


@contextlib.contextmanager
def _explained(folder: pathlib.Path) -> Iterator[None]:
    """What TensorFlow raises while a SavedModel is loaded, in one line.

    Raises:
        UserError: it is damaged, or it needs an operation that is not there.
    """
    try:
        yield
    except (RuntimeError, ValueError, OSError, IndexError, KeyError, tf.errors.OpError) as error:
        missing = re.search(r"Op type not registered '(\w+)'", str(error))
        if missing:
            raise UserError(
                f"the SavedModel in {folder} needs the operation {missing[1]}, which is not here"
            ) from error
        if isinstance(error, RuntimeError):
            raise UserError(f"the SavedModel in {folder} cannot be loaded: {reason_of(error)}") from error
        raise _damaged(folder) from error  # IndexError: truncated variables


def _graph(folder: pathlib.Path, tags: Sequence[str] | None) -> MetaGraphDef:
    """The graph with the given tags; by default the only one, or the one for inference.

    Raises:
        UserError: the SavedModel cannot be read, or its tags have to be bound.
    """
    try:
        with open_regular(folder / "saved_model.pb") as file:
            proto = SavedModel.FromString(file.read())
    except (OSError, DecodeError) as error:
        raise _damaged(folder) from error
    graphs = {frozenset(graph.meta_info_def.tags): graph for graph in proto.meta_graphs}
    if not graphs:
        raise _damaged(folder)
    wanted = [frozenset(tags)] if tags is not None else [*graphs] if len(graphs) == 1 else USUAL_TAGS
    found = next((each for each in wanted if each in graphs), None)
    if found is None:
        listed = ", ".join(str(sorted(each)) for each in graphs)
        raise UserError(
            f"the SavedModel in {folder} holds graphs with the tags {listed}: bind load_teacher.tags to one"
        )
    return graphs[found]


def _damaged(folder: pathlib.Path) -> UserError:
    return UserError(f"the SavedModel in {folder} cannot be loaded: it is damaged; make or download it again")


def _meta(folder: pathlib.Path) -> dict:
    """What our export recorded, {} for a foreign SavedModel.

    Raises:
        UserError: the record is damaged.
    """
    path = folder / "assets.extra" / "generator.json"
    if not path.exists():
        return {}
    try:
        meta = json.loads(read_small(path))
        low, high = meta.get("output_range", (0.0, 1.0))
        dim, prior = meta.get("latent_dim", 1), meta.get("prior", "normal")
        if type(dim) is not int or dim < 1 or not is_prior(prior) or not float(low) < float(high):
            raise ValueError("latent_dim, prior or output_range")
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{path} is damaged: make or download the SavedModel again") from error
    return meta


def _function(
    module, signature: str | None, folder: pathlib.Path
) -> tuple[Callable[..., Any], Mapping[str, tf.TensorSpec], str]:
    """The function to call with all inputs by name, the inputs, and how messages name it.

    Raises:
        UserError: there is no such signature, or the SavedModel can be called in no way.
    """
    concrete = getattr(module.__call__, "concrete_functions", None) if callable(module) and not signature else None
    if concrete:
        return *_of_call(module, concrete), f"the SavedModel in {folder}"
    signature = _signature(signature, module.signatures, folder)
    chosen = module.signatures[signature]
    return chosen, chosen.structured_input_signature[1], f"signature {signature!r} in {folder}"


def _signature(wanted: str | None, signatures: Iterable[str], folder: pathlib.Path) -> str:
    """Name of the signature to call.

    Raises:
        UserError: there is no such signature, or it has to be bound.
    """
    names = sorted(name for name in signatures if not name.startswith("__"))  # "__saved_model_init_op"
    if wanted is None and len(names) == 1:
        return names[0]
    chosen = wanted or SIGNATURE
    if chosen not in names:
        raise UserError(f"{folder} has no signature {chosen!r}: bind load_teacher.signature to one of {names}")
    return chosen


def _of_call(module, concrete) -> tuple[Callable[..., Any], Mapping[str, tf.TensorSpec]]:
    """The SavedModel itself as a function of named inputs; of several traces, the one for inference is called."""
    traces = [each.structured_input_signature for each in concrete]
    traces.sort(key=lambda trace: sum(value is True for value in [*trace[0], *trace[1].values()]))  # training=True last
    positional, named = traces[0]
    slots = {**dict(enumerate(positional)), **named}
    names = {slot: spec.name or str(slot) for slot, spec in slots.items() if isinstance(spec, tf.TensorSpec)}

    def call(**fed):
        values = {slot: fed[names[slot]] if slot in names else value for slot, value in slots.items()}
        return module(*(values[i] for i in range(len(positional))), **{name: values[name] for name in named})

    return call, {name: slots[slot] for slot, name in names.items()}

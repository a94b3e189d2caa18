"""Loads frozen generators from SavedModels: ours, and those of others."""

import json
import logging
import os
import pathlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from akdg_tf.errors import UserError, said_in
from akdg_tf.teachers.foreign import ForeignFunction, Reading
from akdg_tf.teachers.frozen import FrozenGenerator

logger = logging.getLogger(__name__)

ASSUMED_RANGE = {"uint8": (0.0, 255.0)}  # by dtype of the images; (0, 1) for all others
SIGNATURE = "serving_default"

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
        prior: "normal" or "uniform"; default: the prior that our export recorded, else "normal".
        output_range: smallest and largest value of the outputs; default: as our export recorded, else (0, 255) for
            uint8 and (0, 1) for other dtypes.
        signature: name of the signature to call. By default the SavedModel itself is called, or `serving_default` if it
            is not callable.
        reading: what a foreign SavedModel does not tell.
        tags: tags of the graph to load, for a SavedModel that holds several; default: ("serve",), or the only ones.

    Returns:
        The generator.

    Raises:
        UserError: it is damaged, something has to be bound, or its images are not finite or outside `output_range`.
    """
    module, meta = _module(folder, tags), _meta(folder)
    if meta.get("smoke"):
        logger.warning("the generator in %s was made by a smoke run: its images are noise", folder)
    call, specs, where = _function(module, signature, folder)
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
    generator = FrozenGenerator(function, function.latent_dim, prior or "normal", (low, high), module, folder)
    try:
        generator.check(where, "load_teacher.output_range")
    except tf.errors.OpError as error:
        raise UserError(said_in(error.message) or f"{where} fails: {_reason(error)}") from error
    if not output_range:
        logger.info("%s: its images are taken to be in the range %s", where, (low, high))
    return generator


def _module(folder: pathlib.Path, tags: Sequence[str] | None):
    """The loaded SavedModel.

    Raises:
        UserError: it is damaged, it needs an operation that is not there, or its tags have to be bound.
    """
    chosen = list(tags) if tags is not None else _tags(folder)
    try:
        return tf.saved_model.load(os.fspath(folder), tags=chosen)
    except (RuntimeError, tf.errors.NotFoundError) as error:
        missing = re.search(r"Op type not registered '(\w+)'", str(error))
        if missing:
            raise UserError(
                f"the SavedModel in {folder} needs the operation {missing[1]}, which is not here"
            ) from error
        if isinstance(error, RuntimeError):
            raise UserError(f"the SavedModel in {folder} cannot be loaded: {_reason(error)}") from error
        raise _damaged(folder) from error
    except (OSError, ValueError, IndexError, KeyError, tf.errors.OpError) as error:  # IndexError: truncated variables
        raise _damaged(folder) from error


def _tags(folder: pathlib.Path) -> list[str] | None:
    """The tags to load: of the only graph, or of the one for inference. None if the SavedModel cannot be read.

    Raises:
        UserError: there are several graphs, and none of them is the usual one.
    """
    try:
        proto = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    except (OSError, DecodeError):
        return None
    found = [list(graph.meta_info_def.tags) for graph in proto.meta_graphs]
    if len(found) == 1:
        return found[0]
    usual = next((tags for tags in (["serve"], []) if tags in found), None)
    if found and usual is None:
        raise UserError(f"the SavedModel in {folder} holds graphs with the tags {found}: bind load_teacher.tags to one")
    return usual


def _damaged(folder: pathlib.Path) -> UserError:
    return UserError(f"the SavedModel in {folder} cannot be loaded: it is damaged; make or download it again")


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _meta(folder: pathlib.Path) -> dict:
    """What our export recorded, {} for a foreign SavedModel.

    Raises:
        UserError: the record is damaged.
    """
    path = folder / "assets.extra" / "generator.json"
    if not path.exists():
        return {}
    try:
        meta = json.loads(path.read_bytes())
        low, high = meta.get("output_range", (0.0, 1.0))
        if not isinstance(meta.get("latent_dim", 1), int) or not float(low) < float(high):
            raise ValueError("latent_dim or output_range")
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
    signature = signature or SIGNATURE
    if signature not in module.signatures:
        raise UserError(f"{folder} has no signature {signature!r}: choose one of {sorted(module.signatures)}")
    chosen = module.signatures[signature]
    return chosen, chosen.structured_input_signature[1], f"signature {signature!r} in {folder}"


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

"""Loads the networks of a run, an entry or a SavedModel as Keras models that can be trained.

A SavedModel that `export` wrote holds the configuration of its network in `assets.extra/network.json`. A run folder
holds the configurations of all its networks in `networks.json`, and their weights in its checkpoints.
"""

import json
import os
import pathlib
from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from akdg_tf import (
    models,  # noqa: F401  (registers the networks, which the configurations name)
    places,
)
from akdg_tf.artifacts.checkpoints import read_group, read_list, steps_in
from akdg_tf.compat import layers_of
from akdg_tf.errors import UserError
from akdg_tf.files import read_small, write_json

SCHEMA = 1
NETWORK = pathlib.PurePath("assets.extra", "network.json")
NETWORKS = "networks.json"


def config_of(model: keras.Model) -> dict:
    """The configuration of a built Keras model, as JSON: its layers in float32, and the shape of one input."""
    return {
        "schema": SCHEMA,
        "input_shape": list(_input_shape(model)),
        "keras": {**_in_float32(keras.saving.serialize_keras_object(model)), "compile_config": {}},
    }


def from_config(config: Mapping) -> keras.Model:
    """Builds the model of a configuration, in float32, with newly initialized weights, all of which can be trained.

    Raises:
        UserError: it is not the configuration of a network, or it names a layer that is not registered.
    """
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        if config["schema"] != SCHEMA:
            raise ValueError(f"schema {config['schema']!r}, but this version reads {SCHEMA}")
        model = keras.saving.deserialize_keras_object(config["keras"])
        model(tf.zeros((1, *config["input_shape"])))
    except Exception as error:  # a foreign configuration may raise any exception in Keras
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"the network's configuration cannot be read ({type(error).__name__}: {reason})") from error
    finally:
        keras.config.set_dtype_policy(policy)
    for layer in layers_of(model):  # one by one: Keras does not pass True on from a layer that has it already
        layer.trainable = True
    return model


def write(model: keras.Model, saved_model: pathlib.Path) -> None:
    """Writes the configuration of a network into its SavedModel."""
    write_json(saved_model / NETWORK, config_of(model))


def class_in(saved_model: pathlib.Path | None) -> str | None:
    """Class name of the network in a SavedModel. None if `export` did not write it, or if there is none.

    Raises:
        UserError: the configuration of the network cannot be read.
    """
    path = saved_model and saved_model / NETWORK
    if not path or not path.exists():
        return None
    keras_config = _read_json(path).get("keras")
    return keras_config.get("class_name") if isinstance(keras_config, dict) else None


def write_run(
    run: pathlib.Path, networks: Mapping[str, keras.Model], exported: str, optimizers: Mapping[str, str]
) -> None:
    """Writes the configurations of all networks of a run, and the dtype policy under which they are trained.

    Args:
        run: the run folder.
        networks: each network, by the group of the checkpoints that holds its weights.
        exported: name of the network that the run exports.
        optimizers: class name of each optimizer, by its group.

    Raises:
        UserError: the run was begun under another dtype policy.
    """
    configs = {name: config_of(network) for name, network in networks.items()}
    found = {"schema": SCHEMA, "exported": exported, "networks": configs, "optimizers": dict(optimizers)}
    found["dtype_policy"] = policy = keras.config.dtype_policy().name
    begun = dtype_policy_of_run(run)
    if begun not in (None, policy):  # "auto" chose another one, while this run waited for the folder
        raise UserError(f"{run} was begun in {begun}, not in {policy}: start the same command again")
    write_json(run / NETWORKS, found)


def read_run(run: pathlib.Path) -> dict:
    """Reads what `write_run` wrote, as parsed JSON.

    Raises:
        UserError: the file cannot be read, or is damaged.
    """
    found = _read_json(run / NETWORKS)
    if not all(isinstance(found.get(key), dict) for key in ("networks", "optimizers")) or "exported" not in found:
        raise UserError(f"{run / NETWORKS} is damaged: it must hold networks, optimizers and exported")
    return found


def dtype_policy_of_run(run: pathlib.Path) -> str | None:
    """The dtype policy under which a run is trained, None if it has not begun or does not tell."""
    return read_run(run).get("dtype_policy") if (run / NETWORKS).exists() else None


def load_network(name: str | os.PathLike, network: str | None = None, step: int | None = None) -> keras.Model:
    """Loads a network as a Keras model that can be trained, in float32.

    Args:
        name: a run folder, an entry of the zoo, a SavedModel folder that `export` wrote, or a bare name, which is
            looked up as by `find_saved_model`.
        network: "ema_generator" (the averaged generator), "generator", "d_s" or "d_kd" of a run. Default: the network
            that the run exports, which is the averaged generator.
        step: step of a run's checkpoint. Default: the exported weights, or else those of the newest checkpoint.

    Returns:
        The built network. A generator maps latents, float32 [n, latent_dim], to samples in [-1, 1].

    Raises:
        UserError: there is no such network, its files are damaged, or a network of a run is asked for by a name that
            an entry has, too.
    """
    saved_model, run = places.find_saved_model(name), places.find_run(name)
    if network is None and step is None and saved_model is not None:
        return _of_saved_model(saved_model)
    if run is None:
        if saved_model is None:
            raise UserError(f"there is no run, entry or SavedModel {os.fspath(name)!r}: give its name or its folder")
        raise UserError(f"{os.fspath(name)!r} holds one network and no checkpoints: give the run folder instead")
    if saved_model is not None and places.home_of(saved_model).resolve() != run.resolve():
        raise UserError(
            f"{os.fspath(name)!r} is the name of {places.home_of(saved_model)} and of {run}: give the folder"
        )
    return _of_run(run, network, step)


def _of_saved_model(folder: pathlib.Path) -> keras.Model:
    path = folder / NETWORK
    if not path.exists():
        raise UserError(
            f"{folder} holds no {NETWORK}: only SavedModels that akdg_tf exported can be loaded as networks"
        )
    model = from_config(_read_json(path))
    _assign(model, read_list(folder / "variables" / "variables", "variables"), folder)  # without running its graph
    return model


def _of_run(run: pathlib.Path, network: str | None, step: int | None) -> keras.Model:
    found = read_run(run)
    name = network or found["exported"]
    if name not in found["networks"]:
        raise UserError(f"{run} holds no network {name!r}: choose one of {', '.join(found['networks'])}")
    folder = run / "checkpoints"
    steps = steps_in(folder)
    if not steps:
        raise UserError(f"{folder} holds no checkpoints: train the run first")
    step = steps[0] if step is None else step
    if step not in steps:
        raise UserError(f"{folder} holds no checkpoint of step {step}: choose one of {', '.join(map(str, steps))}")
    model = from_config(found["networks"][name])
    _assign(model, read_group(folder, step, name), folder)
    return model


def _assign(model: keras.Model, values: Sequence, source: pathlib.Path) -> None:
    """Assigns values to the variables of a model.

    Raises:
        UserError: the shapes differ: the weights do not belong to the configuration.
    """
    shapes = [tuple(value.shape) for value in values]
    if shapes != [tuple(variable.shape) for variable in model.variables]:
        raise UserError(
            f"the weights in {source} do not fit the configuration of the network: both must come from one run"
        )
    for variable, value in zip(model.variables, values, strict=True):
        variable.assign(value)


def _input_shape(model: keras.Model) -> tuple[int, ...]:
    """Shape of one input of a built model."""
    config = model.get_build_config() or {}
    return tuple(config.get("input_shape") or model.input_shape)[1:]


def _in_float32(config):
    """A serialized Keras object whose layers all compute in float32."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            return {**config, "config": {"name": "float32"}}
        return {key: _in_float32(value) for key, value in config.items()}
    return [_in_float32(value) for value in config] if isinstance(config, list | tuple) else config


def _read_json(path: pathlib.Path) -> dict:
    try:
        found = json.loads(read_small(path))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise UserError(f"{path} is damaged: it must hold a JSON object")
    return found

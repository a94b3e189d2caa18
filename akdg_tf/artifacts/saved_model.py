"""Export of a generator or a classifier as a Reusable SavedModel, which TF Hub loads and calls as `m(x)`."""

import json
import os
import pathlib
import shutil
import tempfile
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from akdg_tf.artifacts import export_checks, network
from akdg_tf.artifacts.exports import Export
from akdg_tf.compat import empty_trackable, layers_of
from akdg_tf.files import replacing
from akdg_tf.latents import latent_dim_of, prior_of, sample_shape_of
from akdg_tf.models.pggan import at_full_size


def detached_copy(model: keras.Model) -> keras.Model:
    """A float32 copy of a built Keras model, with the same weights and outside any distribution strategy.

    The copy of a generator that has grown to its full size does not grow any more: it holds only what is used then.
    Batch normalization is not synchronized: a SavedModel cannot hold the gradient of synchronized statistics, which
    fine-tuning needs.
    """
    if getattr(model, "growing", False) and model.grown:
        model = at_full_size(model)
    copy = network.from_config(network.config_of(model))
    for layer in layers_of(copy):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = False
    copy.set_weights(model.get_weights())
    return copy


def export(model: keras.Model, folder: str | os.PathLike, smoke: bool = False, exports: Sequence[Export] = ()) -> None:
    """Exports a generator as a Reusable SavedModel, which `akdg_tf.load_network`, TF Hub and others can load.

    Args:
        model: a trained method (`GAN`, `AKDG`, `MSEDistillation`), whose averaged generator is exported; or a
            generator: any Keras model that maps latents to samples in [-1, 1]. A warning is logged if its images leave
            this range, or seem to be in [0, 1].
        folder: where to write; the home folder replaces ~. It must not exist, be empty, or hold only what an earlier
            export wrote, which is replaced once the new one is complete.
        smoke: whether the SavedModel is marked as made by a smoke run.
        exports: optional exports, such as `(akdg_tf.LiteRT(), akdg_tf.ONNX())`, whose files are added to the folder.

    Raises:
        UserError: the folder holds something else or is the current one, the home folder is unknown, the model is not
            such a generator, its samples are not finite, or an optional export does not work. Nothing is written then.
    """
    optional = export_checks.check_exports(exports)
    path = export_checks.free_folder(folder, [each.file for each in optional])
    model = getattr(model, "ema_generator", model)
    export_checks.check_generator(model)
    generator = detached_copy(model)
    export_checks.check_samples(generator)
    with tempfile.TemporaryDirectory() as written:
        for each in optional:
            each.write(generator, pathlib.Path(written))
        export_generator(generator, path, output_range_of(generator), smoke)
        shutil.copytree(written, path, dirs_exist_ok=True)


def output_range_of(generator: keras.Model) -> tuple[int, int]:
    """The range of an exported generator's samples: (0, 1) for images, (-1, 1) for points."""
    return (0, 1) if len(sample_shape_of(generator)) == 3 else (-1, 1)


def export_generator(
    generator: keras.Model,
    folder: pathlib.Path,
    output_range: tuple[float, float],
    smoke: bool = False,
    fixed_width: bool = False,
) -> None:
    """Writes a generator as a SavedModel. An existing one is replaced once the new one is complete.

    `m(z)` and `m(z, training=True)` map float32 [n, latent_dim] to float32 [n, *sample_shape]. The signatures
    `serving_default`, `default` and `generator` map `z` to `images`.

    Args:
        generator: Keras model with outputs in [-1, 1]; for a trained model, its `detached_copy`.
        folder: where to write.
        output_range: the values that -1 and 1 are mapped to: (0, 1) for images, (-1, 1) for points.
        smoke: whether the SavedModel is marked as made by a smoke run.
        fixed_width: whether the graph refuses latents of another size. Without this, LiteRT's dense layers take
            [16, 128] for [32, 64].
    """
    low, high = output_range
    latent_dim = latent_dim_of(generator)

    def images(z, training=False):
        if fixed_width and latent_dim > 1:
            z = tf.concat(tf.split(z, [1, latent_dim - 1], axis=1), 1)  # only the split knows the size
        outputs = generator(z, training=training)
        return outputs if (low, high) == (-1, 1) else (outputs + 1.0) * ((high - low) / 2.0) + low

    spec = tf.TensorSpec((None, latent_dim), tf.float32, name="z")
    prior = prior_of(generator)
    meta = {"latent_dim": latent_dim, "prior": prior, "output_range": output_range, "smoke": smoke}
    signatures = ("serving_default", "default", "generator")
    _save(generator, images, spec, "images", signatures, folder, ("generator.json", meta))


def export_classifier(classifier: keras.Model, folder: pathlib.Path, meta: dict) -> None:
    """Writes a classifier as a SavedModel: it maps images float32 [n, h, w, c] in [0, 1] to {"logits", "features"}.

    Args:
        classifier: Keras model that maps images in [-1, 1] to {"logits": [n, classes], "features": [n, d]}.
        folder: where to write.
        meta: what `metrics.classifiers` needs to know about the classifier: `id`, and `resize` if it resizes images.
    """

    def outputs(images, training=False):
        return classifier(images * 2.0 - 1.0, training=training)

    spec = tf.TensorSpec((None, *classifier.sample_shape), tf.float32, name="images")
    _save(classifier, outputs, spec, None, ("serving_default",), folder, ("classifier.json", meta))


def _save(
    model: keras.Model,
    function: Callable,
    spec: tf.TensorSpec,
    output_name: str | None,
    signatures: tuple[str, ...],
    folder: pathlib.Path,
    extra: tuple[str, dict],
) -> None:
    """Traces the function for both values of `training`, saves it, then moves the folder to its place."""
    call = tf.function(function)
    call.get_concrete_function(spec, training=True)
    call.get_concrete_function(spec, training=False)

    @tf.function(input_signature=[spec])
    def serve(x):
        value = function(x)
        return value if output_name is None else {output_name: value}

    module = empty_trackable()
    module.__call__ = call
    module.variables = [v.value for v in model.variables]
    module.trainable_variables = [v.value for v in model.trainable_variables]
    module.regularization_losses = []
    name, meta = extra
    with replacing(folder) as part:
        tf.saved_model.save(module, os.fspath(part), {name: serve for name in signatures})
        (part / "assets.extra").mkdir()
        (part / "assets.extra" / name).write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")
        network.write(model, part)

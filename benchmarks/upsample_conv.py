"""The forms of UpsampleConv2D on the shapes of the CIFAR-10 networks: python benchmarks/upsample_conv.py.

Prints one JSON line: ms per forward pass, ms per forward and backward pass ("both"), for the plain form and the two
fused forms, and the ratios. The forms are interleaved. Times are medians.
"""

import argparse
import json

import keras
import setting
import tensorflow as tf

from akdg_tf.models.layers import UpsampleConv2D

SHAPES = ((4, 512, 256), (8, 256, 128), (16, 128, 64), (4, 256, 256), (8, 256, 256), (16, 256, 256))


def make(form: str, shape: tuple[int, int, int, int], filters: int) -> UpsampleConv2D:
    """A layer in one of its forms."""
    layer = (setting.PlainUpsampleConv2D if form == "plain" else UpsampleConv2D)(filters)
    layer.build(shape)
    layer.form = form
    return layer


def passes(layer: UpsampleConv2D, x: tf.Tensor) -> dict:
    """The forward pass, and the forward and backward pass to weights and inputs, by name."""
    forward = tf.function(layer)

    @tf.function
    def both(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        return tape.gradient(y, [x, *(v.value for v in layer.conv.variables)], output_gradients=y)

    return {"forward": lambda: forward(x).numpy(), "both": lambda: [gradient.numpy() for gradient in both(x)]}


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--batch", type=int, default=setting.BATCH)
    parser.add_argument("--dtype_policy", default="float32", choices=("float32", "mixed_bfloat16"))
    arguments = parser.parse_args()
    keras.config.set_dtype_policy(arguments.dtype_policy)
    line = {"benchmark": "upsample_conv", **setting.machine(), **vars(arguments)}
    for side, channels, filters in SHAPES:
        x = tf.random.normal((arguments.batch, side, side, channels), dtype=keras.config.dtype_policy().compute_dtype)
        functions = {}
        for form in ("plain", "transposed", "phases"):
            found = passes(make(form, x.shape, filters), x)
            functions |= {f"{form}.{name}": function for name, function in found.items()}
        seconds = setting.interleaved(functions, arguments.rounds)
        name = f"{side}x{side}x{channels}_to_{filters}"
        line |= {f"{name}.{key}_ms": setting.compact(s * 1e3) for key, s in seconds.items()}
        for kind in ("forward", "both"):
            ratio = seconds[f"plain.{kind}"] / seconds[f"transposed.{kind}"]
            line[f"{name}.plain_over_transposed.{kind}"] = setting.compact(ratio)
    print(json.dumps(line))


if __name__ == "__main__":
    main()

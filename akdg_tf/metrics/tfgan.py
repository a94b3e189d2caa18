"""TF-GAN's evaluation functions, imported without the packages above them.

`import tensorflow_gan` fails on TensorFlow >= 2.16 (`tf.estimator` is gone, tensorflow/gan#55), but its `eval` package
needs none of what fails. Both packages above it are put into `sys.modules` as bare modules that only know where their
files lie. `tests/test_tfgan_import.py` fails on the day on which this is no longer needed.
"""

import importlib
import importlib.util
import pathlib
import sys
import types


def _import_eval():
    root = pathlib.Path(importlib.util.find_spec("tensorflow_gan").origin).parent
    bare = {"tensorflow_gan": root, "tensorflow_gan.python": root / "python"}
    for name, folder in bare.items():
        module = types.ModuleType(name)
        module.__path__ = [str(folder)]
        sys.modules[name] = module
    try:
        return importlib.import_module("tensorflow_gan.python.eval.classifier_metrics")
    finally:
        for name in bare:  # who imports tensorflow_gan afterwards gets its own error, not our bare module
            sys.modules.pop(name, None)


_metrics = _import_eval()

classifier_score_from_logits = _metrics.classifier_score_from_logits
trace_sqrt_product = _metrics.trace_sqrt_product
kernel_classifier_distance_from_activations = _metrics.kernel_classifier_distance_from_activations

"""TF-GAN's evaluation functions, imported without the packages above them.

`import tensorflow_gan` fails on TensorFlow >= 2.16, which has no `tf.estimator` (tensorflow/gan#55). Its `eval` package
does not need what fails. So both packages above it are put into `sys.modules` as empty modules with only a `__path__`.
`tests/metrics/test_tfgan.py` fails as soon as this is no longer needed.
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
        for name in bare:  # a later `import tensorflow_gan` raises its own error instead of finding our empty module
            sys.modules.pop(name, None)


_metrics = _import_eval()

classifier_score_from_logits = _metrics.classifier_score_from_logits
trace_sqrt_product = _metrics.trace_sqrt_product
kernel_classifier_distance_from_activations = _metrics.kernel_classifier_distance_from_activations

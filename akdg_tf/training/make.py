"""Making the experiment that the gin files bind."""

from collections.abc import Callable

import gin
import keras

from akdg_tf.errors import UserError
from akdg_tf.training.experiment import Experiment
from akdg_tf.training.workdir import Run

DTYPE_POLICIES = ("float32", "mixed_bfloat16")


def make_experiment(
    run: Run, experiment: Callable[[Run], Experiment] = gin.REQUIRED, dtype_policy: str = "float32"
) -> Experiment:
    """Makes the experiment that the gin files bind.

    Args:
        run: folder, name, seed.
        experiment: makes the experiment from its run: GeneratorExperiment or ClassifierExperiment.
        dtype_policy: Keras dtype policy of the trained networks: "float32" or "mixed_bfloat16". The latter computes in
            bfloat16 and keeps weights, samples, logits, losses and exports in float32. It is for processors with
            bfloat16 multiplication (AVX512-BF16, AMX, recent GPUs); on others it is slower than float32.

    Raises:
        UserError: the policy is unknown.
    """
    if dtype_policy not in DTYPE_POLICIES:
        raise UserError(f"dtype_policy {dtype_policy!r} is not one of {', '.join(DTYPE_POLICIES)}")
    keras.config.set_dtype_policy(dtype_policy)
    return experiment(run)

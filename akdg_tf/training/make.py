"""Making the experiment that the gin files bind."""

import logging
from collections.abc import Callable

import gin
import keras

from akdg_tf.artifacts import network
from akdg_tf.errors import UserError
from akdg_tf.training import devices
from akdg_tf.training.experiment import Experiment
from akdg_tf.training.workdir import Run

logger = logging.getLogger(__name__)

DTYPE_POLICIES = ("float32", "mixed_bfloat16")
AUTO = "auto"


def make_experiment(
    run: Run, experiment: Callable[[Run], Experiment] = gin.REQUIRED, dtype_policy: str = "float32"
) -> Experiment:
    """Makes the experiment that the gin files bind.

    Args:
        run: folder, name, seed.
        experiment: makes the experiment from its run: GeneratorExperiment or ClassifierExperiment.
        dtype_policy: Keras dtype policy of the trained networks: "float32", "mixed_bfloat16" or "auto".
            "mixed_bfloat16" computes in bfloat16 and keeps weights, samples, logits, losses and exports in float32.
            "auto" is "mixed_bfloat16" where the processor has AMX or a GPU multiplies bfloat16, otherwise "float32". A
            run that has begun keeps what it began with.

    Raises:
        UserError: the policy is unknown.
    """
    if dtype_policy not in (*DTYPE_POLICIES, AUTO):
        raise UserError(f"dtype_policy {dtype_policy!r} is not one of {', '.join((*DTYPE_POLICIES, AUTO))}")
    keras.config.set_dtype_policy(_chosen(run) if dtype_policy == AUTO else dtype_policy)
    return experiment(run)


def _chosen(run: Run) -> str:
    """The policy that the run began with, else what suits this machine; logged."""
    begun = network.dtype_policy_of_run(run.workdir)
    if begun in DTYPE_POLICIES:
        logger.info("dtype_policy 'auto': %s, as the run began", begun)
        return begun
    unit = devices.bfloat16_unit()
    policy = "mixed_bfloat16" if unit else "float32"
    why = f"{unit} multiplies bfloat16" if unit else "this machine has neither AMX nor a GPU for bfloat16"
    logger.info("dtype_policy 'auto': %s, because %s", policy, why)
    return policy

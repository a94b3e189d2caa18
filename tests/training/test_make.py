"""The experiment that is bound is made under its dtype policy."""

import keras
import pytest

from akdg_tf.errors import UserError
from akdg_tf.training.make import DTYPE_POLICIES, make_experiment
from akdg_tf.training.workdir import Run


@pytest.mark.parametrize("policy", DTYPE_POLICIES)
def test_the_policy_holds_before_any_network_is_made(policy, tmp_path):
    run, made = Run(tmp_path, "x"), []

    def experiment(run):
        made.append((run, keras.layers.Dense(1).dtype_policy.name))
        return "the experiment"

    assert make_experiment(run, experiment, policy) == "the experiment"
    assert made == [(run, policy)]


def test_a_policy_that_keeps_weights_in_half_precision_is_refused(tmp_path):
    with pytest.raises(UserError, match="dtype_policy 'float16' is not one of float32, mixed_bfloat16"):
        make_experiment(Run(tmp_path, "x"), lambda run: run, "float16")
    assert keras.config.dtype_policy().name == "float32"

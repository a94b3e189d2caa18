"""LiteRT's file against the model in memory."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from akdg_tf import models
from akdg_tf.artifacts.litert import litert_model


@pytest.mark.parametrize("make", [models.DCGANGenerator, models.SNGANGenerator, models.MLPGenerator])
def test_litert_draws_what_the_model_in_memory_draws(make):
    model = make(6, (16, 16, 1), **({"width": 4, "blocks": 2} if make is models.SNGANGenerator else {}))
    z = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    runner = Interpreter(model_content=litert_model(model, (0, 1))).get_signature_runner("generator")
    np.testing.assert_allclose(runner(z=z)["images"], (model(z) + 1) / 2, atol=1e-6)

"""The published class-conditional generators draw the digit that is asked for, as a classifier sees it."""

import numpy as np
import pytest
import tensorflow_hub as hub
from support import ROOT

import akdg_tf

DIGITS = np.repeat(np.arange(10), 40)


@pytest.mark.parametrize("name", ["mnist_conditional_teacher", "mnist_conditional_dcgan_akdg"])
def test_a_digit_is_drawn_when_it_is_asked_for(name):
    generator = akdg_tf.load(name, ROOT / "zoo")
    assert generator.classes == 10
    images = np.concatenate([generator.sample(40, seed=1, label=digit) for digit in range(10)])
    logits = hub.load(str(ROOT / "zoo" / "mnist_classifier" / "saved_model"))(images)["logits"].numpy()
    right = logits.argmax(1) == DIGITS
    assert right.mean() > 0.95
    assert min(right[digit == DIGITS].mean() for digit in range(10)) > 0.85
    assert np.abs(images[:40] - images[0]).mean() > 0.01  # the images of one digit differ

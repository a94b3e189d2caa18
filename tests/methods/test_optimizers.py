"""The optimizers of a method, and what of them is state."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import image_batches, make_trainer

from akdg_tf import GAN
from akdg_tf.methods.optimizers import Optimizers, start_anew, state_of


@pytest.mark.parametrize("which", ["generator", "discriminator"])
def test_an_optimizer_that_accumulates_gradients_is_refused(which):
    """Every micro-batch would see the same latents: the step, which they follow from, is the generator's."""
    optimizer = keras.optimizers.Adam(gradient_accumulation_steps=2)
    with pytest.raises(ValueError, match="gradient_accumulation_steps must be None"):
        Optimizers(**{which: optimizer})
    with pytest.raises(ValueError, match="gradient_accumulation_steps must be None"):
        make_trainer(GAN).compile(**{f"{which}_optimizer": optimizer})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beta_1": "x"}, "Adam.beta_1 is 'x': give a number, or True or False"),
        ({"beta_2": None}, "Adam.beta_2 is None: give a number, or True or False"),
        ({"clipnorm": "1.0"}, "Adam.clipnorm is '1.0': give a number, or True or False"),
        ({"weight_decay": "x"}, "Adam.weight_decay is 'x': give a number, or True or False"),
    ],
)
def test_a_setting_that_is_not_a_number_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Optimizers(discriminator=keras.optimizers.Adam(**settings))


@pytest.mark.parametrize(
    "made",
    [
        keras.optimizers.Adam,
        keras.optimizers.Nadam,
        keras.optimizers.Adagrad,
        keras.optimizers.Ftrl,
        lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(momentum=0.9), initial_scale=4.0),
        lambda: keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.5, 1, 0.5)),
    ],
)
def test_an_optimizer_that_starts_anew_repeats_its_first_step(made):
    """Nadam, Adagrad, Ftrl and the scale of a loss start with numbers that are not zero."""
    optimizer, variable = made(), keras.Variable([1.0, -2.0])
    optimizer.build([variable])
    seen = []
    for _ in range(2):
        variable.assign([1.0, -2.0])
        for _ in range(2):
            optimizer.apply([tf.constant([0.5, 0.25])])
        seen.append([variable.numpy(), *(each.numpy() for each in state_of(optimizer))])
        start_anew(optimizer, [variable])
    assert np.abs(seen[0][0] - [1.0, -2.0]).max() > 1e-5
    for before, after in zip(*seen, strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_schedule_that_gives_no_number_is_refused():
    schedule = keras.optimizers.schedules.PolynomialDecay("x", decay_steps=10)
    with pytest.raises(ValueError, match=r"SGD\.learning_rate gives no number at step 0"):
        Optimizers(generator=keras.optimizers.SGD(schedule))


@pytest.mark.parametrize("kind", ["Adam", "RMSprop", "SGD", "AdamW", "Lion", "Adafactor", "Muon", "Ftrl"])
def test_the_optimizers_of_keras_are_taken_with_their_defaults_and_with_a_schedule(kind):
    for settings in ({}, {"learning_rate": keras.optimizers.schedules.CosineDecay(0.1, 10), "clipnorm": 1.0}):
        Optimizers(generator=getattr(keras.optimizers, kind)(**settings))


def test_an_optimizer_of_ones_own_and_one_that_scales_the_loss_are_taken_and_checked():
    class Mine(keras.optimizers.Adam):
        def __init__(self, **settings):
            super().__init__(**settings)

    Optimizers(generator=Mine(), discriminator=keras.optimizers.Muon(weight_decay=None))
    Optimizers(generator=keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()))
    for made in (Mine(beta_1="x"), keras.optimizers.LossScaleOptimizer(Mine(beta_1="x"))):
        with pytest.raises(ValueError, match=r"Mine\.beta_1 is 'x'"):
            Optimizers(generator=made)


def test_a_schedule_that_fails_without_a_word_is_named_by_its_error():
    class Failing(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            raise AssertionError

    with pytest.raises(ValueError, match=r"SGD\.learning_rate gives no number at step 0: AssertionError"):
        Optimizers(generator=keras.optimizers.SGD(Failing()))


def test_the_defaults_are_adam_for_both_with_variables_of_their_own():
    trainer = make_trainer(GAN)
    trainer.compile()
    for optimizer in trainer.optimizers:
        assert isinstance(optimizer, keras.optimizers.Adam)
        assert float(optimizer.learning_rate) == pytest.approx(5e-4)
        assert (optimizer.beta_1, optimizer.beta_2) == (0.0, 0.99)
    one, other = ({id(v) for v in optimizer.variables} for optimizer in trainer.optimizers)
    assert not one & other


def test_the_discriminators_take_copies_of_their_own_optimizer():
    trainer = make_trainer(GAN)
    trainer.compile(keras.optimizers.SGD(0.5), keras.optimizers.RMSprop(0.25))
    assert [type(optimizer).__name__ for optimizer in trainer.optimizers] == ["SGD", "RMSprop"]
    assert [float(optimizer.learning_rate) for optimizer in trainer.optimizers] == [0.5, 0.25]


@pytest.mark.parametrize("rate", [0.1, keras.optimizers.schedules.CosineDecay(0.1, 10)])
def test_the_learning_rate_is_not_state(rate):
    """Of Adam: its count of updates, and two moments of each weight."""
    optimizer = keras.optimizers.Adam(rate)
    weights = [keras.Variable([1.0, 2.0], name="a"), keras.Variable([[3.0]], name="b")]
    optimizer.build(weights)
    shapes = sorted(tuple(variable.shape) for variable in state_of(optimizer))
    assert shapes == [(), (1, 1), (1, 1), (2,), (2,)]


def test_a_schedule_of_the_discriminators_counts_their_own_steps():
    trainer = make_trainer(GAN, d_steps=2)
    trainer.compile(keras.optimizers.SGD(0.01))
    trainer.fit(image_batches(3), verbose=0)
    assert [int(optimizer.iterations) for optimizer in trainer.optimizers] == [3, 6]

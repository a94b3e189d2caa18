"""LIT: one step against its equation, its two ends, and the pairs of networks that it does not take."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import SAMPLE_SHAPE, image_batches, make_resnet, make_teacher, make_trainer

import akdg_tf
from akdg_tf import LIT, FrozenChunks, latents
from akdg_tf.compression.fake_quant import FakeQuantize

BETA = 0.3


def through(layers, x, training):
    """The output of some layers. What normalizes are the blocks, and the norm before the last ReLU."""
    for layer in layers:
        normalizes = "block" in layer.name or "norm" in layer.name
        x = layer(x, training=training) if normalizes else layer(x)
    return x


def mean_square(a, b):
    return tf.reduce_mean((a - b) ** 2)


def written_out(student, teacher, z):
    """The loss, with the chunks of a network of one resolution cut by hand."""
    dense, reshape, up, *end = student.net.layers
    its_dense, its_reshape, its_up, its_block, *its_end = teacher.net.layers
    first = through([its_dense, its_reshape], z, False)
    second = through([its_up, its_block], first, False)
    images = through(its_end, second, False)
    chunks = mean_square(through([dense, reshape], z, True), first)
    chunks += mean_square(through([up], first, True), second)
    chunks += mean_square(through(end, second, True), images)
    return BETA * mean_square(student(z, training=True), images) + (1 - BETA) * chunks


@pytest.mark.parametrize("use_batch_norm", [False, True])
def test_a_step_is_that_of_the_equation(use_batch_norm):
    trainer = make_trainer(LIT, use_batch_norm=use_batch_norm, beta=BETA)
    teacher, student = trainer.teacher.module, trainer.generator
    student.set_weights([weight + 0.1 for weight in student.get_weights()])  # its ends are the teacher's no more
    other = make_resnet(1, use_batch_norm)
    other.set_weights(student.get_weights())
    z = latents.draw("normal", 8, 4, (0, latents.STUDENT), tf.constant(0, tf.int64))
    with tf.GradientTape() as tape:
        loss = written_out(other, teacher, z)
    gradients = tape.gradient(loss, other.trainable_variables)
    expected = [v - 0.05 * g for v, g in zip(other.trainable_variables, gradients, strict=True)]
    history = trainer.fit(image_batches(1), verbose=0)
    assert history.history["g/loss"][0] == pytest.approx(float(loss), rel=1e-5)
    for variable, value in zip(student.trainable_variables, expected, strict=True):
        np.testing.assert_allclose(variable.numpy(), value.numpy(), rtol=1e-5, atol=1e-6)


def test_a_student_begins_with_the_teachers_first_and_last_layers():
    trainer = make_trainer(LIT, use_batch_norm=True)
    dense, _, block, norm, _, image = trainer.generator.net.layers
    its_dense, _, its_block, *_, its_norm, _, its_image = trainer.teacher.module.net.layers
    for ours, its in ((dense, its_dense), (norm, its_norm), (image, its_image)):
        for a, b in zip(ours.get_weights(), its.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    kernel, its_kernel = (layer.residual.layers[-1].kernel for layer in (block, its_block))
    assert not np.array_equal(kernel, its_kernel)


def test_the_moving_averages_follow_the_students_own_activations():
    """As in a step of MSE: the teacher's activations leave no trace in them."""
    found, expected = make_trainer(LIT, use_batch_norm=True), make_trainer(LIT, use_batch_norm=True)
    z = latents.draw("normal", 8, 4, (0, latents.STUDENT), tf.constant(0, tf.int64))
    before = expected.generator.get_weights()
    expected.generator(z, training=True)
    found.fit(image_batches(1), verbose=0)
    moved = 0
    pairs = zip(found.generator.variables, expected.generator.variables, before, strict=True)
    for variable, value, start in pairs:
        if not variable.trainable:
            np.testing.assert_allclose(variable.numpy(), value.numpy(), rtol=1e-6)
            moved += not np.array_equal(variable.numpy(), start)
    assert moved == 6  # mean and variance of three norms


def test_a_student_that_is_the_teacher_has_no_loss_and_stays_as_it_is():
    network, copy = make_resnet(2), make_resnet(2)
    copy.set_weights(network.get_weights())
    trainer = LIT(copy, FrozenChunks(network))
    trainer.compile(keras.optimizers.SGD(0.05))
    assert trainer.fit(image_batches(1), verbose=0).history["g/loss"] == [0.0]
    for a, b in zip(network.get_weights(), copy.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_with_all_weight_on_the_images_it_is_the_mse_method():
    lit = make_trainer(LIT, beta=1.0)
    mse = akdg_tf.MSEDistillation(make_resnet(), lit.teacher)
    mse.generator.set_weights(lit.generator.get_weights())
    mse.compile(keras.optimizers.SGD(0.05))
    for trainer in (lit, mse):
        trainer.fit(image_batches(2), verbose=0)
    for a, b in zip(lit.generator.get_weights(), mse.generator.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_the_chunks_alone_are_learned_from_the_teachers_activations():
    trainer = make_trainer(LIT, beta=0.0)
    first, *_, last = trainer.fit(image_batches(40), epochs=10, steps_per_epoch=4, verbose=0).history["g/loss"]
    assert last < 0.5 * first


def test_no_variable_of_the_teacher_moves_or_is_tracked():
    trainer = make_trainer(LIT, use_batch_norm=True)
    network = trainer.teacher.module
    before = network.get_weights()
    trainer.fit(image_batches(3), verbose=0)
    for a, b in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    teachers = {id(variable) for variable in network.variables}
    assert teachers and not teachers & {id(variable) for variable in trainer.variables}


def test_the_step_of_bfloat16_has_its_loss_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    trainer = make_trainer(LIT)
    loss = trainer.train_step(next(iter(image_batches(1))))["g/loss"]
    assert loss.dtype == tf.float32 and np.isfinite(loss)


@pytest.mark.parametrize(
    ("student", "teacher", "says"),
    [
        (
            make_resnet,
            lambda: make_resnet(2, width=5),
            r"the same width and resolutions: .* \(8, 8, 4\), .* \(8, 8, 5\)",
        ),
        (make_resnet, lambda: make_resnet(blocks=2), "the same width and resolutions"),
        (make_resnet, lambda: make_resnet(latent_dim=5), "LIT requires that student and teacher have the same latents"),
        (make_resnet, lambda: make_resnet(2, use_batch_norm=True), "the same layers before and after their blocks"),
        (lambda: make_teacher()[1], make_resnet, "MLPGenerator has no residual blocks"),
    ],
    ids=["width", "resolutions", "latents", "norm", "student"],
)
def test_networks_that_do_not_fit_each_other_are_one_line(student, teacher, says):
    with pytest.raises(ValueError, match=says):
        LIT(student(), FrozenChunks(teacher()))


def test_a_teacher_whose_layers_cannot_be_read_is_one_line():
    teacher, model = make_teacher()
    with pytest.raises(ValueError, match=r"which a FrozenGenerator does not give: give akdg_tf\.FrozenChunks"):
        LIT(make_resnet(), teacher)
    with pytest.raises(ValueError, match="MLPGenerator has no residual blocks; an SNGANGenerator has"):
        FrozenChunks(model)
    with pytest.raises(ValueError, match="LayeredGenerator, a compressed generator, has no chunks of residual blocks"):
        FrozenChunks(FakeQuantize()(make_resnet()))


@pytest.mark.parametrize("beta", [-0.1, 1.1, float("nan"), "x", None])
def test_a_weight_that_is_no_share_is_refused(beta):
    with pytest.raises(ValueError, match=r"LIT\.beta must be a number in \[0, 1\], not"):
        make_trainer(LIT, beta=beta)


def test_the_samples_have_the_teachers_shape():
    assert make_trainer(LIT)(tf.zeros((3, 4))).shape == (3, *SAMPLE_SHAPE)

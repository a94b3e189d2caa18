"""Augmentations: what they change, from which numbers, and that the training step uses them where it should."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import SAMPLE_SHAPE, image_batches, make_trainer

from akdg_tf import AKDG, GAN, DiffAugment, R1Penalty

IMAGES = tf.random.stateless_uniform((6, 16, 16, 3), (1, 2), -1.0, 1.0)


def augmented(policy, *numbers):
    """The images under one change, each with the same random numbers."""
    return DiffAugment((policy,))(IMAGES, tf.tile([list(numbers)], (6, 1))).numpy()


def test_color_changes_brightness_saturation_and_contrast():
    images = IMAGES.numpy()
    np.testing.assert_allclose(augmented("color", 0.5, 0.5, 0.5), images, atol=1e-6)
    np.testing.assert_allclose(augmented("color", 0.75, 0.5, 0.5), images + 0.25, atol=1e-6)
    gray = np.repeat(images.mean(3, keepdims=True), 3, 3)
    np.testing.assert_allclose(augmented("color", 0.5, 0.0, 0.5), gray, atol=1e-6)
    mean = images.mean((1, 2, 3), keepdims=True)
    np.testing.assert_allclose(augmented("color", 0.5, 0.5, 0.0), mean + 0.5 * (images - mean), atol=1e-6)


def test_translation_moves_by_up_to_an_eighth_and_uncovers_zero():
    images, moved = IMAGES.numpy(), augmented("translation", 0.0, 0.99)  # 2 of 16 pixels down, 2 to the left
    np.testing.assert_array_equal(moved[:, 2:, :-2], images[:, :-2, 2:])
    assert not moved[:, :2].any() and not moved[:, :, -2:].any()
    np.testing.assert_array_equal(augmented("translation", 0.5, 0.5), images)


def test_cutout_removes_half_of_the_sides_around_a_place():
    cut = augmented("cutout", 0.5, 0.0)
    kept = cut.any((0, 3))
    assert not kept[4:12, :4].any() and kept.sum() == 16 * 16 - 8 * 4
    np.testing.assert_array_equal(cut[:, :4], IMAGES.numpy()[:, :4])


def test_each_image_has_its_own_change_and_the_order_of_the_names_does_not_matter():
    uniform = tf.random.stateless_uniform((6, 7), (3, 4))
    one = DiffAugment()(IMAGES, uniform)
    other = DiffAugment(("cutout", "color", "translation"))(IMAGES, uniform)
    np.testing.assert_array_equal(one, other)
    same = DiffAugment()(tf.repeat(IMAGES[:1], 6, 0), uniform).numpy()
    assert len({image.tobytes() for image in same}) == 6


def test_the_generator_learns_through_it():
    with tf.GradientTape() as tape:
        tape.watch(IMAGES)
        changed = DiffAugment()(IMAGES, tf.fill((6, 7), 0.6))
    gradient = tape.gradient(changed, IMAGES).numpy()
    assert (gradient != 0).mean() > 0.5


@pytest.mark.parametrize("policy", [(), ("colour",), "color"])
def test_a_policy_without_meaning_is_refused(policy):
    with pytest.raises(ValueError, match="give a tuple of color, translation, cutout"):
        DiffAugment(policy)


def test_points_are_refused():
    with pytest.raises(ValueError, match=r"takes images, not samples of shape \(2,\)"):
        DiffAugment()(tf.zeros((4, 2)), tf.zeros((4, 7)))


class Recorded:
    """An augmentation that notes its random numbers, and changes nothing."""

    numbers = 2

    def __init__(self):
        self.seen = []

    def __call__(self, images, uniform):
        self.seen.append(uniform.numpy())
        return images


@pytest.mark.parametrize(("method", "adversaries"), [(GAN, 1), (AKDG, 2)])
def test_references_and_images_of_every_discriminator_and_of_the_generator_have_numbers_of_their_own(
    method, adversaries
):
    augmentation = Recorded()
    trainer = make_trainer(method, augmentation=augmentation, penalty=R1Penalty(1.0))
    (images,) = image_batches(1)
    trainer.train_step(images)
    seen = np.concatenate(augmentation.seen, axis=1)
    assert seen.shape == (8, 2 * 3 * adversaries) and seen.min() >= 0 and seen.max() < 1
    assert len(np.unique(seen)) == seen.size


def test_what_the_discriminators_see_is_augmented_and_the_images_of_the_generator_are_not():
    class Black:
        numbers = 1

        def __call__(self, images, uniform):
            return 0.0 * images - 1.0

    trainer = make_trainer(AKDG, augmentation=Black(), penalty=R1Penalty(1.0))
    before, old = trainer.generator.get_weights(), [a.discriminator.get_weights() for a in trainer.adversaries]
    trainer.fit(image_batches(1), verbose=0)
    for weight, was in zip(trainer.generator.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, was)  # all images look alike: nothing to learn
    assert any((a != b).any() for a, b in zip(trainer.adversaries[0].discriminator.get_weights(), old[0], strict=True))
    assert trainer(tf.zeros((1, 4))).shape == (1, *SAMPLE_SHAPE)
    assert keras.ops.max(trainer(tf.zeros((1, 4)))) > -1.0

"""Latents follow from (seed, stream, step) and nothing else, whatever the replicas."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import on_two_replicas

from akdg_tf import MLPGenerator, latents


def test_latents_of_student_and_teacher_are_independent_and_follow_from_seed_and_step():
    def draw(seed, stream, step):
        return latents.draw("normal", 512, 8, (seed, stream), tf.constant(step, tf.int64)).numpy()

    z, z_teacher = draw(0, latents.STUDENT, 5), draw(0, latents.TEACHER, 5)
    np.testing.assert_array_equal(z, draw(0, latents.STUDENT, 5))
    assert abs(np.corrcoef(z.ravel(), z_teacher.ravel())[0, 1]) < 0.06
    for other in (draw(1, latents.STUDENT, 5), draw(0, latents.STUDENT, 6)):
        assert abs(np.corrcoef(z.ravel(), other.ravel())[0, 1]) < 0.06
    assert latents.draw("uniform", 512, 8, (0, 1), tf.constant(0, tf.int64)).numpy().min() < -0.99


@pytest.mark.parametrize(("prior", "mean_square"), [("normal", 1.0), ("uniform", 1 / 3)])
def test_two_replicas_draw_the_two_halves_of_the_prior(prior, mean_square):
    def draw(count):
        return latents.draw(prior, count, 5, (3, latents.STUDENT), tf.constant(7, tf.int64))

    whole = draw(2000)
    assert whole.dtype == tf.float32
    assert float(tf.reduce_mean(whole)) == pytest.approx(0, abs=0.03)
    assert float(tf.reduce_mean(whole**2)) == pytest.approx(mean_square, abs=0.03)
    np.testing.assert_array_equal(np.concatenate(on_two_replicas(lambda: draw(1000))), whole)


def test_the_last_entries_of_a_prior_with_classes_are_a_label():
    def draw(count):
        return latents.draw("normal, 3 classes", count, 5, (3, latents.STUDENT), tf.constant(7, tf.int64))

    whole = draw(3000).numpy()
    noise, labels = whole[:, :2], whole[:, 2:]
    assert abs(noise.mean()) < 0.03 and (noise**2).mean() == pytest.approx(1, abs=0.05)
    assert set(map(tuple, labels)) == {(1, 0, 0), (0, 1, 0), (0, 0, 1)}
    np.testing.assert_allclose(labels.mean(0), 1 / 3, atol=0.03)
    np.testing.assert_array_equal(np.concatenate(on_two_replicas(lambda: draw(1500))), whole)
    chosen = latents.with_label(draw(3000), "normal, 3 classes", 1).numpy()
    np.testing.assert_array_equal(chosen[:, :2], noise)
    assert (chosen[:, 2:] == [0, 1, 0]).all()


@pytest.mark.parametrize("prior", ["gauss", "normal, 0 classes", "normal, ten classes", "uniform, 2 classes", None, 3])
def test_an_unknown_prior_is_refused(prior):
    assert not latents.is_prior(prior)
    with pytest.raises((ValueError, TypeError), match=f"unknown prior {prior!r}"):
        latents.draw(prior, 1, 1, (0, 1), tf.constant(0, tf.int64))


def test_positions_go_on_from_step_to_step_over_all_replicas():
    """Of two rows a replica: one takes 0 1, 2 3, 4 5, ..., two take 0 1 and 2 3, then 4 5 and 6 7."""

    def positions():
        return latents.positions(tf.constant(2), tf.constant(1, tf.int64))

    assert positions().numpy().tolist() == [2, 3]
    assert [rows.tolist() for rows in on_two_replicas(positions)] == [[4, 5], [6, 7]]


@pytest.mark.parametrize("size", [1, 7])
def test_every_item_once_a_pass_in_an_order_of_its_own(size):
    def order(seed):
        return latents.shuffled(tf.range(4 * size, dtype=tf.int64), size, seed).numpy().reshape(4, size).tolist()

    passes = order((1, 2))
    assert all(sorted(each) == list(range(size)) for each in passes)
    assert order((1, 2)) == passes
    if size > 1:
        assert len({tuple(each) for each in passes}) > 1
        assert order((2, 2)) != passes and order((1, 3)) != passes


def test_the_first_samples_of_a_seed_are_the_same_however_many_are_drawn():
    batches = list(latents.sample_batches(lambda z: z[:, :1], "normal", 3, latents.SAMPLING_BATCH + 20, seed=4))
    assert [len(batch) for batch in batches] == [latents.SAMPLING_BATCH, 20]
    whole = np.concatenate(batches)
    np.testing.assert_array_equal(latents.sample(lambda z: z[:, :1], "normal", 3, 10, seed=4), whole[:10])
    assert not np.array_equal(latents.sample(lambda z: z[:, :1], "normal", 3, 10, seed=5), whole[:10])


def test_large_images_are_drawn_in_smaller_batches_and_are_the_same():
    sizes = [latents.batch_size(shape) for shape in ((2,), (32, 32, 3), (64, 64, 3), (256, 256, 3), (2048, 2048, 3))]
    assert sizes == [250, 250, 250, 32, 1]
    whole, parts = (list(latents.sample_batches(lambda z: z, "normal", 3, 300, 4, batch)) for batch in (250, 32))
    assert [len(batch) for batch in whole] == [250, 50]
    assert [len(batch) for batch in parts] == [*[32] * 7, 26, 32, 18]
    np.testing.assert_array_equal(np.concatenate(whole), np.concatenate(parts))


def test_shapes_of_a_generator_of_ours_and_of_any_keras_model():
    layers = [keras.Input((6,)), keras.layers.Dense(8), keras.layers.Reshape((2, 4, 1))]
    for generator in (keras.Sequential(layers), MLPGenerator(6, (2, 4, 1), width=3)):
        assert (latents.latent_dim_of(generator), latents.sample_shape_of(generator)) == (6, (2, 4, 1))

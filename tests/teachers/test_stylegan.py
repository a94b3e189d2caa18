"""A ready StyleGAN is a teacher: its images of 256 pixels are in NCHW, and its inputs beside z are bound."""

import numpy as np
import pytest
import tensorflow as tf
from known_images import CLASSES, KERNEL, enlarged, normal, tf_enlarged
from support import python

from akdg_tf.errors import UserError
from akdg_tf.teachers.load import load_teacher


class StyleGAN(tf.Module):
    """As StyleGAN's converted networks: NCHW images of 256x256 in [-1, 1] beside the styles, and four inputs.

    Args:
        layout: of the convolution's maps.
    """

    inputs = [
        tf.TensorSpec((None, 512), name="z"),
        tf.TensorSpec((None, 1), name="truncation_psi"),
        tf.TensorSpec((), tf.string, name="noise_mode"),
        tf.TensorSpec((None,), tf.int64, name="label"),
    ]

    def __init__(self, layout):
        self.kernel, self.average = tf.Variable(KERNEL), tf.Variable(CLASSES[0])
        self.to_rgb, self.layout = tf.Variable(tf.eye(3)[None, None]), layout

    @tf.function(input_signature=inputs)
    def synthesize(self, z, truncation_psi, noise_mode, label):
        styles = self.average + truncation_psi * (z @ self.kernel - self.average)
        maps = tf_enlarged(tf.tanh(styles), 256)
        if self.layout == "NCHW":
            images = tf.nn.conv2d(tf.transpose(maps, (0, 3, 1, 2)), self.to_rgb, 1, "SAME", data_format="NCHW")
        else:
            images = tf.transpose(tf.nn.conv2d(maps, self.to_rgb, 1, "SAME"), (0, 3, 1, 2))
        noise = tf.where(noise_mode == "none", 0.0, 0.1)
        sign = tf.where(label == 1, -1.0, 1.0)[:, None, None, None]
        return {"images": sign * images * (1.0 - noise), "styles": styles}


@pytest.fixture(scope="module")
def stylegan(tmp_path_factory):
    folder, module = tmp_path_factory.mktemp("stylegan"), StyleGAN("NHWC")
    tf.saved_model.save(module, str(folder), {"synthesize": module.synthesize})
    return folder


@pytest.mark.parametrize("psi", [0.7, [0.7], [[0.7]]])
def test_a_stylegan_is_a_teacher_with_its_other_inputs_bound(psi, stylegan):
    inputs = {"truncation_psi": psi, "noise_mode": "none", "label": 1}
    teacher, z = load_teacher(str(stylegan), output_range=(-1, 1), inputs=inputs), normal(3, 512)
    expected = -enlarged(np.tanh(CLASSES[0] + 0.7 * (z @ KERNEL - CLASSES[0])), 256)
    for images in (teacher(z), tf.function(teacher)(z)):
        np.testing.assert_allclose(images, expected, atol=1e-5)
    costs = teacher.describe()
    assert costs["mult_adds"] == 512 * 48 + 256 * 256 * 3 * 3 and costs["latent_dim"] == 512


def test_the_images_of_a_stylegan_change_with_each_constant(stylegan):
    inputs = {"truncation_psi": 0.7, "noise_mode": "none", "label": 1}
    others = [{"truncation_psi": 0.5}, {"noise_mode": "const"}, {"label": 0}]
    teachers = [load_teacher(str(stylegan), output_range=(-1, 1), inputs=inputs | each) for each in ({}, *others)]
    first, *rest = (each(normal(2, 512)).numpy() for each in teachers)
    assert all(np.abs(first - each).max() > 0.05 for each in rest)
    assert len({each.digest() for each in teachers}) == 4
    with pytest.raises(
        UserError, match=r"bind load_teacher.inputs={'truncation_psi': 'VALUE'}|one input for the latents"
    ):
        load_teacher(str(stylegan), inputs={"noise_mode": "none", "label": 1})


DESCRIBED = """
import sys
from akdg_tf import load_teacher
inputs = {"truncation_psi": 0.7, "noise_mode": "none", "label": 1}
print(load_teacher(sys.argv[1], output_range=(-1, 1), inputs=inputs).describe())
"""


@pytest.mark.long
@pytest.mark.parametrize("onednn", ["1", "0"])
def test_maps_in_nchw_need_onednn_on_a_cpu(onednn, tmp_path):
    """TensorFlow leaves oneDNN out by default on processors without AVX512-VNNI."""
    module = StyleGAN("NCHW")
    tf.saved_model.save(module, str(tmp_path), {"synthesize": module.synthesize})
    done = python("-c", DESCRIBED, tmp_path, TF_ENABLE_ONEDNN_OPTS=onednn)
    if onednn == "1":
        assert f"'mult_adds': {512 * 48 + 256 * 256 * 3 * 3}" in done.stdout, done.stderr
    else:
        says = "oneDNN knows it: set the environment variable TF_ENABLE_ONEDNN_OPTS=1 before Python starts"
        assert done.returncode == 1 and done.stderr.splitlines()[-1].endswith(says)

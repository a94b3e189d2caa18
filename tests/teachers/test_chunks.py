"""A teacher whose layers are read: what it draws, and the teachers that are not of this kind."""

import contracts
import numpy as np
import pytest
import tensorflow as tf
from support import SAMPLE_SHAPE, make_resnet, make_teacher

from akdg_tf import AKDG, LIT, FrozenGenerator
from akdg_tf.artifacts.saved_model import export
from akdg_tf.data.images import ImageArrays
from akdg_tf.errors import UserError
from akdg_tf.teachers.bank import make_bank
from akdg_tf.teachers.chunks import ChunkedTeacher, FrozenChunks
from akdg_tf.teachers.images import TeacherImages
from akdg_tf.teachers.load import load_teacher
from akdg_tf.teachers.sources import ChunkSource, fitting


def opened(teacher):
    return ChunkedTeacher().open(teacher, False, contracts.no_reals)


def test_it_draws_pairs_and_the_activations_between_them():
    network = make_resnet(2, use_batch_norm=True)
    source = FrozenChunks(network)
    contracts.pair_source_contract(source, network)
    arguments = (tf.constant(8), contracts.SEED, tf.constant(3, tf.int64))
    z, *maps = source.draw_activations(*arguments)
    assert isinstance(source, ChunkSource)
    np.testing.assert_array_equal(z, source.draw_latents(*arguments))
    assert [tuple(each.shape) for each in maps] == [(8, 4, 4, 4), (8, 8, 8, 4), (8, *SAMPLE_SHAPE)]
    np.testing.assert_allclose(maps[-1], source.draw_images(*arguments), atol=contracts.ROUNDING)


def test_the_network_of_an_exported_teacher_is_opened(tmp_path):
    network = make_resnet(2, use_batch_norm=True)
    export(network, tmp_path / "deep" / "saved_model")
    teacher = load_teacher(str(tmp_path / "deep"))
    source = opened(teacher)
    assert source.name == "deep"
    z = tf.random.stateless_normal((3, 4), (0, 0))
    np.testing.assert_allclose(source(z), teacher(z), atol=contracts.ROUNDING)
    assert fitting(source, LIT.teacher_role, "LIT") is source


def test_teachers_whose_layers_are_not_there_are_one_line(tmp_path):
    teacher, model = make_teacher()
    for name in ("mlp", "foreign"):
        export(model, tmp_path / name / "saved_model")
    (tmp_path / "foreign/saved_model/assets.extra/network.json").unlink()
    mlp, foreign = (FrozenGenerator(model, 4, folder=tmp_path / name / "saved_model") for name in ("mlp", "foreign"))
    images = TeacherImages(ImageArrays("x", "y", np.zeros((9, *SAMPLE_SHAPE), np.uint8), None), "drawn")
    for given, says in [
        (mlp, "'mlp' .*: MLPGenerator has no residual blocks"),
        (foreign, "only SavedModels that akdg_tf exported can be loaded as networks"),
        (images, "'drawn' is neither"),
        (teacher, "'FrozenGenerator' is neither"),
        (None, r"bind GeneratorExperiment\.teacher$"),
    ]:
        with pytest.raises(UserError, match=says):
            opened(given)


def test_a_source_that_reads_no_layers_is_one_line_that_names_the_one_that_does(tmp_path):
    teacher, _ = make_teacher()
    for source in (teacher, make_bank(teacher, 8, 0, tmp_path)):
        with pytest.raises(UserError, match=r"LIT needs the activations .*: bind .*teacher_source = @ChunkedTeacher"):
            fitting(source, LIT.teacher_role, "LIT")
    assert fitting(teacher, AKDG.teacher_role, "AKDG") is teacher

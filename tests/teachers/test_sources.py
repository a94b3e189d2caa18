"""What a method asks of a teacher, and the teacher itself as the source."""

import contracts
import pytest
import tensorflow as tf
from support import SAMPLE_SHAPE, make_teacher

from akdg_tf.errors import UserError
from akdg_tf.teachers.sources import ImageSource, OnlineTeacher, PairSource, required


class Images:
    """What a folder of images would be: no latents."""

    def draw_images(self, count, seed, step):
        return tf.zeros((count, *SAMPLE_SHAPE))


def test_images_alone_are_a_source_of_images_and_none_of_pairs():
    assert isinstance(Images(), ImageSource) and not isinstance(Images(), PairSource)
    assert isinstance(make_teacher()[0], PairSource)
    assert not isinstance(object(), ImageSource)


@pytest.mark.parametrize("smoke", [False, True])
def test_the_online_source_is_the_teacher_and_keeps_the_contract_of_sources(smoke):
    teacher, model = make_teacher()
    source = OnlineTeacher().open(teacher, smoke, contracts.no_reals)
    assert source is teacher
    contracts.pair_source_contract(source, model)


def test_without_a_teacher_the_binding_that_lacks_is_named():
    with pytest.raises(UserError, match=r"bind GeneratorExperiment\.teacher$"):
        OnlineTeacher().open(None, False, contracts.no_reals)
    with pytest.raises(UserError, match=r"bind GeneratorExperiment\.teacher$"):
        required(None)

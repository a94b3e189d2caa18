"""Stages of compression: in their order, from a run or an entry, which the result names as a parent."""

import keras
import pytest
from support import ROOT

from akdg_tf.artifacts.saved_model import export
from akdg_tf.compression.stages import compressed
from akdg_tf.errors import UserError
from akdg_tf.models import DCGANGenerator, PGGANGenerator


def test_the_stages_are_applied_in_their_order_and_the_source_is_a_parent(monkeypatch):
    monkeypatch.chdir(ROOT)
    applied = []

    def stage(name):
        return lambda generator: applied.append((name, type(generator).__name__)) or generator

    generator = compressed("mnist_dcgan_akdg", (stage("first"), stage("second")))
    assert isinstance(generator, DCGANGenerator)
    assert applied == [("first", "DCGANGenerator"), ("second", "DCGANGenerator")]
    parent = generator.made_from()
    assert (parent.role, parent.name, len(parent.digest)) == ("compressed", "mnist_dcgan_akdg", 64)
    assert [each.name for each in parent.parents] == ["mnist_sngan_teacher"]


def test_a_network_without_layers_in_sequence_is_one_line(tmp_path):
    keras.utils.set_random_seed(0)
    export(PGGANGenerator(4, (8, 8, 1), (4, 4)), tmp_path / "grown")
    with pytest.raises(UserError, match="is a PGGANGenerator: only generators whose layers are in sequence"):
        compressed(str(tmp_path / "grown"), (lambda generator: generator,))


def test_a_source_that_does_not_exist_is_one_line():
    with pytest.raises(UserError, match="there is no run, entry or SavedModel 'nothing'"):
        compressed("nothing", ())

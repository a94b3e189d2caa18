"""Stages of compression: in their order, from a run or an entry, which the result names as a parent."""

import keras
import pytest
from support import ROOT, quick

from akdg_tf.artifacts import network
from akdg_tf.artifacts.checkpoints import Checkpoints
from akdg_tf.artifacts.saved_model import export
from akdg_tf.compression.channels import PruneChannels
from akdg_tf.compression.factorization import Factorize
from akdg_tf.compression.fake_quant import FakeQuantize
from akdg_tf.compression.stages import compressed
from akdg_tf.compression.weights import PruneWeights
from akdg_tf.errors import UserError
from akdg_tf.models import DCGANGenerator, MLPGenerator, PGGANGenerator, SNGANGenerator
from akdg_tf.training.workdir import Run


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


def test_a_run_that_is_not_finished_or_was_trained_past_its_export_is_one_line(tmp_path):
    keras.utils.set_random_seed(0)
    generator, says = MLPGenerator(4, (8, 8, 1), width=4), "is not finished: its generator may still change; run its co"
    network.write_run(tmp_path, {"ema_generator": generator}, "ema_generator", {})
    checkpoints = Checkpoints({"ema_generator": generator.variables}, tmp_path / "checkpoints")
    checkpoints.save(1)
    with pytest.raises(UserError, match=says):
        compressed(str(tmp_path), ())
    export(generator, tmp_path / "saved_model")
    Run(tmp_path, "x").note_export(1, {})
    assert compressed(str(tmp_path), ())
    checkpoints.save(2)
    with pytest.raises(UserError, match=says):
        compressed(str(tmp_path), ())


@pytest.mark.parametrize("source", [5, None, ["runs/x"]])
def test_a_source_that_is_no_name_is_one_line(source):
    with pytest.raises(UserError, match=r"^compressed\.source is .*: bind a run folder, an entry of the zoo or"):
        compressed(source, ())


@pytest.mark.parametrize("stage", [PruneChannels(max_params=50), Factorize(energy=0.5), FakeQuantize(), PruneWeights()])
def test_each_stage_refuses_a_network_whose_layers_are_not_in_sequence(stage):
    with pytest.raises(UserError, match="the network is a PGGANGenerator: only generators whose layers are in sequ"):
        stage(PGGANGenerator(4, (8, 8, 1), (4, 4)))


def test_zeros_that_a_further_stage_would_lose_are_one_line(tmp_path):
    keras.utils.set_random_seed(0)
    export(MLPGenerator(4, (8, 8, 1), width=4), tmp_path / "x")
    assert compressed(str(tmp_path / "x"), (FakeQuantize(), lambda generator: generator))
    with pytest.raises(UserError, match="PruneWeights must be the last stage: its zeros would not last in the next"):
        compressed(str(tmp_path / "x"), (PruneWeights(0.5), FakeQuantize()))


def test_zeros_of_the_source_that_the_training_would_change_are_named(tmp_path, caplog):
    keras.utils.set_random_seed(0)
    sparse = PruneWeights(0.5)(MLPGenerator(4, (8, 8, 1), width=4))
    export(sparse, tmp_path / "x")
    compressed(str(tmp_path / "x"), (FakeQuantize(), PruneWeights(0.5)))
    assert "of the weights are zero" not in caplog.text
    compressed(str(tmp_path / "x"), (FakeQuantize(),))
    assert "50 % of the weights are zero, and the fine-tuning will change them" in caplog.text


@pytest.mark.parametrize(
    ("stages", "says"),
    [
        (PruneChannels(max_params=9), r"compressed\.stages is PruneChannels\(.*: bind a tuple such as"),
        ("x", r"compressed\.stages is 'x': bind a tuple"),
        ((PruneChannels,), "holds PruneChannels, which is no compression: .*, with brackets"),
        ((5,), "holds 5, which is no compression"),
    ],
)
def test_what_is_no_compression_is_one_line(stages, says, tmp_path):
    keras.utils.set_random_seed(0)
    export(MLPGenerator(4, (8, 8, 1), width=4), tmp_path / "x")
    with pytest.raises(UserError, match=says):
        compressed(str(tmp_path / "x"), stages)


STAGES = [PruneChannels(max_params=1500), FakeQuantize(), PruneWeights(0.5)]


@pytest.mark.parametrize("stage", quick(STAGES, "PruneChannels", name=lambda stage: type(stage).__name__))
def test_a_residual_network_is_compressed_in_float32_alone(stage, tmp_path):
    keras.utils.set_random_seed(0)
    export(SNGANGenerator(4, (8, 8, 1), width=8), tmp_path / "x")
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        with pytest.raises(UserError, match=r"is trained in float32: bind make_experiment\.dtype_policy='float32'"):
            compressed(str(tmp_path / "x"), (stage,))
        smaller = stage(network.load_network(str(tmp_path / "x")))  # as a function, it works
        assert smaller(keras.ops.zeros((2, 4))).shape == (2, 8, 8, 1)
    finally:
        keras.config.set_dtype_policy(policy)


def test_a_source_that_does_not_exist_is_one_line():
    with pytest.raises(UserError, match="there is no run, entry or SavedModel 'nothing'"):
        compressed("nothing", ())

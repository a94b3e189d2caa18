"""A small run on the 2-D ring, as `akdg run` makes one, and what it leaves for TensorBoard."""

import keras
import tensorflow as tf
from support import mirrored
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorflow.tsl.profiler.protobuf import xplane_pb2

import akdg_tf
from akdg_tf.data.choice import Data
from akdg_tf.training.generation import GeneratorExperiment
from akdg_tf.training.schedule import Schedule
from akdg_tf.training.workdir import Run

BATCH, LATENT, TEACHER_LATENT, SEED = 64, 8, 5, 3
FED = {"student": [], "teacher": []}  # latents that they were given in training, an array a call


def record(who, z):
    tf.numpy_function(lambda z: FED[who].append(z) if len(z) == BATCH // 2 else None, [z], [])  # a replica's share


@keras.saving.register_keras_serializable(package="tests")
class RecordingGenerator(akdg_tf.MLPGenerator):
    def call(self, z, training=False):
        if training:
            record("student", z)
        return super().call(z, training)


class SmallAKDG(akdg_tf.AKDG):
    def __init__(self, student, teacher, seed):
        networks = [akdg_tf.MLPDiscriminator(width=16, depth=1) for _ in range(2)]
        super().__init__(student, *networks, teacher, d_steps=2, seed=seed)


class SmallGAN(akdg_tf.GAN):
    def __init__(self, student, seed):
        super().__init__(student, akdg_tf.MLPDiscriminator(width=16, depth=1), seed=seed)


def train(folder, steps, recording=False, devices=("CPU:0", "CPU:1"), **settings):
    """Trains on the 2-D ring, on replicas, as `run.py` does, AKDG if it is to be recorded; returns the experiment."""
    run = Run(folder, "ring", "R1Penalty.gamma = 3.0\n", seed=SEED, hyperparameters={"R1Penalty.gamma": 3.0})
    with mirrored(devices).scope():
        small = {"width": 16, "depth": 1, "output_activation": "linear"}
        student = (RecordingGenerator if recording else akdg_tf.MLPGenerator)(
            LATENT, (2,), use_batch_norm=True, **small
        )
        network = akdg_tf.MLPGenerator(TEACHER_LATENT, (2,), **small)

        def draw(z):
            if recording:
                record("teacher", z)
            return network(z)

        experiment = GeneratorExperiment(
            run,
            generator=student,
            method=SmallAKDG if recording else SmallGAN,
            data=Data("ring"),
            schedule=Schedule(steps, BATCH, report_every=4, pictures_every=1, **settings),
            evaluations={},
            teacher=lambda: akdg_tf.FrozenGenerator(draw, TEACHER_LATENT, prior="uniform", module=network),
        )
    if recording:
        _ = experiment.trainer  # which draws from the teacher, to check it
        for calls in FED.values():
            calls.clear()
    experiment.train()
    return experiment


def read_events(folder):
    accumulator = EventAccumulator(str(folder / "events"), {"tensors": 0})
    return accumulator.Reload()


def read_profile(folder):
    """The one profile: (number, times of begin and end) of its steps, and (name, time) of everything else, in ps."""
    (path,) = (folder / "events" / "plugins" / "profile").glob("*/*.xplane.pb")
    (plane,) = (p for p in xplane_pb2.XSpace.FromString(path.read_bytes()).planes if p.name == "/host:CPU")
    steps, others = [], []
    for line in plane.lines:
        for event in line.events:
            name, begin = plane.event_metadata[event.metadata_id].name, line.timestamp_ns * 1000 + event.offset_ps
            stats = {plane.stat_metadata[stat.metadata_id].name: stat.int64_value for stat in event.stats}
            if name == "train":
                steps.append((stats["step_num"], begin, begin + event.duration_ps))
            else:
                others.append((name, begin))
    return sorted(steps), others

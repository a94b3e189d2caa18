"""On paper: AKDG at batch 2048 on 8, 64 and 512 replicas: python benchmarks/scaling.py. Prints a table in Markdown.

Per step, each replica computes its images. Then a ring all-reduce sums the gradients of the student and of both
discriminators, in float32. Each replica sends and receives 2 (N - 1) / N times their bytes. Nothing overlaps, and no
time is lost to latency. The time per image is measured here, in a step of a few images on one replica with all threads,
or given. `--times_as_fast` divides it: what a faster replica would do.
"""

import argparse
import itertools
import math
import os
import pathlib
import statistics
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

BATCH, REPLICAS, GBITS = 2048, (8, 64, 512), (10, 100)
LSUN_SHAPE, LSUN_WIDTHS, LSUN_CRITIC = (256, 256, 3), (512, 256, 128, 64, 32, 32, 16), (32, 64, 128, 256, 512, 512)
MEASURED = {"MLP": 64, "DCGAN": 64, "LSUN DCGAN": 8}  # images per measured step
WARM_UP, STEPS = 2, 8  # one of 8 steps computes the lazy R1 penalty


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ms_per_image", nargs=3, type=float, help=f"of {', '.join(MEASURED)}; measured if not given")
    parser.add_argument("--times_as_fast", nargs="+", type=float, default=[1.0, 100.0])
    arguments = parser.parse_args()
    rows = []
    for number, network in enumerate(MEASURED):
        trainer = make_trainer(network)
        given = arguments.ms_per_image and arguments.ms_per_image[number]
        rows.append((network, gradient_bytes(trainer), given or ms_per_image(trainer, MEASURED[network])))
    print_table(rows, arguments.times_as_fast)


def make_trainer(network: str):
    """The trainer of AKDG from a bank; the paper's networks, and those of `gin/lsun_dcgan_akdg.gin`."""
    import keras
    import setting

    import akdg_tf
    from akdg_tf.teachers.bank import make_bank

    if network.startswith("LSUN"):
        student = akdg_tf.DCGANGenerator(256, LSUN_SHAPE, widths=LSUN_WIDTHS)
        critics = [akdg_tf.ConvDiscriminator(LSUN_CRITIC) for _ in range(2)]
    else:
        student = setting.STUDENTS[network.lower()](setting.LATENT_DIM, setting.SAMPLE_SHAPE)
        critics = [akdg_tf.ConvDiscriminator((64, 128, 256)) for _ in range(2)]
    teacher = akdg_tf.FrozenGenerator(student, student.latent_dim, module=student)  # its images cost nothing later
    with tempfile.TemporaryDirectory() as folder:
        bank = make_bank(teacher, MEASURED[network], 0, pathlib.Path(folder))
    trainer = akdg_tf.AKDG(student, *critics, bank, penalty=setting.PENALTY)
    trainer.compile(keras.optimizers.RMSprop(1e-4))
    return trainer


def gradient_bytes(trainer) -> int:
    """Bytes of the gradients that are summed in one step, with one step of each discriminator."""
    networks = trainer.networks.values()
    return 4 * sum(math.prod(v.shape) for network in networks for v in network.trainable_variables)


def ms_per_image(trainer, count: int) -> float:
    """Milliseconds per image, in steps of `count` images."""
    import tensorflow as tf

    from akdg_tf import latents

    shape = latents.sample_shape_of(trainer.generator)
    images = tf.random.stateless_uniform((count, *shape), (0, 0), -1.0, 1.0)
    step, seconds = tf.function(trainer.train_step), []
    for _ in range(WARM_UP + STEPS):
        began = time.perf_counter()
        float(step(images)["g/loss"])
        seconds.append(time.perf_counter() - began)
    timed = seconds[WARM_UP:]
    usual = statistics.median(timed)
    return 1000 * (usual + max(0.0, max(timed) - usual) / STEPS) / count


def print_table(rows: list[tuple[str, int, float]], times_as_fast: list[float]) -> None:
    """Prints steps/s, the efficiency (share of the time that is spent computing), and where both times are equal.

    Args:
        rows: network, bytes of the gradients, milliseconds per image.
        times_as_fast: speeds of a replica, in multiples of the measured one.
    """
    of_replicas = [f"{replicas} replicas: steps/s (computing)" for replicas in REPLICAS]
    header = ["student", "gradients", "ms per image", "Gbit/s", *of_replicas, "network bound from"]
    print(f"| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for (network, size, ms), fast, gbits in itertools.product(rows, times_as_fast, GBITS):
        alone, ring = BATCH * ms / 1000 / fast, 2 * size * 8 / (gbits * 1e9)
        cells = []
        for replicas in REPLICAS:
            computing = alone / replicas
            total = computing + ring * (replicas - 1) / replicas
            cells.append(f"{1 / total:.3g} ({computing / total:.0%})")
        bound = f"{1 + alone / ring:,.0f} replicas"
        print(f"| {network} | {size / 1e6:.1f} MB | {ms / fast:.3g} | {gbits} | {' | '.join(cells)} | {bound} |")


if __name__ == "__main__":
    main()

"""Peak memory and time per image by the number of micro-batches. Prints one JSON line.

    python benchmarks/micro_batches.py

The networks are those of gin/lsun_dcgan_akdg.gin: the paper's DCGAN of 256x256, D_S and D_KD, with R1 in each step.
Each row runs in a process of its own. The references are noise, drawn in the step, so that data and bank take no
memory.
"""

import argparse
import json
import multiprocessing
import resource
import time

import setting

SIDE, LATENT_DIM = 256, 256


def measure(batch: int, micro_batches: int, steps: int) -> dict[str, float | None]:
    """Peak resident memory of this process in GB, and seconds per image, of AKDG steps on `batch` images.

    With 0 steps, the memory alone, of the step that traces.
    """
    import tensorflow as tf

    import akdg_tf
    from akdg_tf.training.devices import make_strategy

    class Noise:
        """An image source that costs nothing."""

        sample_shape = (SIDE, SIDE, 3)

        def draw_images(self, count, seed, step):
            return tf.random.stateless_uniform((count, *self.sample_shape), (1, 2), -1.0, 1.0)

    with make_strategy("cpu").scope():
        student = akdg_tf.DCGANGenerator(LATENT_DIM, Noise.sample_shape, (512, 256, 128, 64, 32, 32, 16))
        critics = [akdg_tf.ConvDiscriminator((32, 64, 128, 256, 512, 512)) for _ in range(2)]
        trainer = akdg_tf.AKDG(student, *critics, Noise(), penalty=akdg_tf.R1Penalty(gamma=20.0))
        trainer.compile(micro_batches=micro_batches)
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    one = tf.zeros((1, SIDE, SIDE, 3))  # the real images: one, repeated without a copy per image
    images = tf.data.Dataset.from_tensors(one).repeat().map(lambda x: tf.repeat(x, batch, 0))
    trainer.fit(images, steps_per_epoch=1, verbose=0)  # traces the step
    began = time.perf_counter()
    if steps:
        trainer.fit(images, steps_per_epoch=steps, verbose=0)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "batch": batch,
        "micro_batches": micro_batches,
        "start_gb": setting.compact(start * 1024 / 1e9),
        "peak_gb": setting.compact(peak * 1024 / 1e9),
        "data_gb": setting.compact(batch * SIDE * SIDE * 3 * 4 / 1e9),
        "seconds_per_image": setting.compact(seconds / (steps * batch)) if steps else None,
    }


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--micro_batches", nargs="+", type=int, default=[1, 2, 4, 8, 16, 32])
    parser.add_argument("--steps", type=int, default=2, help="timed steps per row; 0: the memory alone")
    arguments = parser.parse_args()
    rows = []
    for count in arguments.micro_batches:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            rows.append(pool.apply(measure, (arguments.batch, count, arguments.steps)))
    print(json.dumps({"benchmark": "micro_batches", **setting.machine(), "side": SIDE, "rows": rows}))


if __name__ == "__main__":
    main()

"""Peak memory with a bank of 256x256 images, by its size: python benchmarks/bank_memory.py. Prints one JSON line.

Each size runs in a process of its own. It makes the bank, opens it again, and takes some AKDG steps from it. The
teacher draws smooth fields of colour and the student is small, so that the bank decides. Real images come from the bank
too.
"""

import argparse
import json
import multiprocessing
import pathlib
import resource
import tempfile

import setting

SIDE, LATENT_DIM, BATCH, STEPS = 256, 48, 16, 20


def measure(count: int, folder: str) -> dict[str, float]:
    """Peak resident memory of this process in GB, after each stage."""
    import tensorflow as tf

    import akdg_tf
    from akdg_tf import data
    from akdg_tf.models import ConvDiscriminator, DCGANGenerator
    from akdg_tf.teachers.bank import make_bank
    from akdg_tf.training.devices import make_strategy

    def fields(z):
        return tf.image.resize(tf.tanh(tf.reshape(z, (-1, 4, 4, 3))), (SIDE, SIDE))

    found = {}
    with make_strategy("cpu").scope():
        teacher = akdg_tf.FrozenGenerator(fields, LATENT_DIM)
        found["teacher"] = peak()
        bank = make_bank(teacher, count, 0, pathlib.Path(folder))
        found["made"] = peak()
        discriminators = [ConvDiscriminator((8, 16, 32, 32)) for _ in range(2)]
        trainer = akdg_tf.AKDG(DCGANGenerator(LATENT_DIM, (SIDE, SIDE, 3), (32, 16, 16, 8, 8)), *discriminators, bank)
        trainer.compile()
    images = data.by_step(lambda step: bank.draw_images(BATCH, (1, 1), step), 0, STEPS)
    trainer.fit(images, verbose=0)
    found["trained"] = peak()
    return {"images": count, "bank_gb": setting.compact(bank.images.nbytes / 1e9)} | found


def peak() -> float:
    """Peak resident memory of this process so far, in GB."""
    return setting.compact(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9)


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", type=int, default=[500, 10_000, 50_000])
    sizes = parser.parse_args().sizes
    rows = []
    for count in sizes:
        with tempfile.TemporaryDirectory() as folder, multiprocessing.get_context("spawn").Pool(1) as pool:
            rows.append(pool.apply(measure, (count, folder)))
    print(json.dumps({"benchmark": "bank_memory", **setting.machine(), "side": SIDE, "batch": BATCH, "rows": rows}))


if __name__ == "__main__":
    main()

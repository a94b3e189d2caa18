"""What the discriminators of an AKDG run say of images: python benchmarks/logits.py RUN --teacher NAME --data_dir DATA.

Prints a table of mean logits with their standard errors, as Markdown. A discriminator that has learned the bank by
heart gives the bank's images higher logits than new images of the teacher. One that knows left from right gives
mirrored images other logits.
"""

import argparse

import numpy as np

import akdg_tf
from akdg_tf import data
from akdg_tf.data.images import to_float
from akdg_tf.reporting import markdown
from akdg_tf.teachers.bank import BANKS, SEED, make_bank

DISCRIMINATORS = ("d_s", "d_kd")
BATCH, LATENT_SEED = 250, 1


def images_of(arguments: argparse.Namespace) -> dict[str, np.ndarray]:
    """The images by what they are, float32 [n, height, width, channels] in [-1, 1]."""
    count = arguments.samples
    teacher = akdg_tf.load_teacher(arguments.teacher)
    bank = make_bank(teacher, arguments.bank, SEED, BANKS)
    rows = np.random.default_rng(0).choice(arguments.bank, count, replace=False)
    reals = data.load_dataset(arguments.dataset, arguments.data_dir, teacher.sample_shape)
    found = {
        "training images": np.concatenate(list(reals.real_batches(count, 0))),
        "images of the teacher, from the bank": to_float(bank.images[np.sort(rows)]).numpy(),
        "new images of the teacher": teacher.samples(count, LATENT_SEED),
        "images of the student": akdg_tf.load_teacher(arguments.run).samples(count, LATENT_SEED),
    }
    return {
        name + end: images[:, :, ::step]
        for name, images in found.items()
        for end, step in (("", 1), (", mirrored", -1))
    }


def logits(discriminator, images: np.ndarray) -> str:
    """The mean logit and its standard error."""
    batches = (images[i : i + BATCH] for i in range(0, len(images), BATCH))
    found = np.concatenate([discriminator(each, training=False).numpy().ravel() for each in batches])
    return f"{found.mean():.2f} ± {found.std() / len(found) ** 0.5:.2f}"


def asymmetry(images: np.ndarray) -> str:
    """The mean absolute difference of the mean image and its mirror image, in gray levels of 255."""
    mean = images.mean(0)
    return f"{np.abs(mean - mean[:, ::-1]).mean() * 127.5:.1f}"


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", help="run folder of an AKDG student")
    parser.add_argument("--teacher", required=True, help="entry, run or SavedModel")
    parser.add_argument("--dataset", default="cifar10")
    parser.add_argument("--data_dir")
    parser.add_argument("--bank", type=int, default=50_000, help="images of the bank")
    parser.add_argument("--samples", type=int, default=2000)
    arguments = parser.parse_args()
    networks = [akdg_tf.load_network(arguments.run, network=name) for name in DISCRIMINATORS]
    rows = [
        [name, *(logits(each, images) for each in networks), asymmetry(images)]
        for name, images in images_of(arguments).items()
    ]
    print(*markdown.table(["", *DISCRIMINATORS, "mean image against its mirror image"], rows), sep="\n")


if __name__ == "__main__":
    main()

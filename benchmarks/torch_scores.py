"""Frechet distances in the two feature spaces of the published scores, in PyTorch; for `torch_gpu.py`."""

import itertools
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch_gan import LATENT_DIM

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
CHUNK = 500  # images per call of a network
SIDE = 160  # of the images that EfficientNet-Lite0 sees


def convolve(x, kernel, bias, stride=1, groups=1):
    """A convolution with the padding "same" of TensorFlow; `kernel` is [h, w, inputs, outputs]."""
    side = kernel.shape[0]
    padded = max(side - stride, 0) if x.shape[-1] % stride == 0 else side - 1
    x = F.pad(x, (padded // 2, padded - padded // 2) * 2)
    kernel = kernel.permute(3, 2, 0, 1) if groups == 1 else kernel.permute(2, 3, 0, 1)
    return F.conv2d(x, kernel.contiguous(memory_format=torch.channels_last), bias, stride, groups=groups)


class Features:
    """Features of images in the two spaces of the published scores.

    Args:
        folder: what `torch_convert.py inputs` wrote: the weights of both, and EfficientNet's stages.
    """

    def __init__(self, folder: pathlib.Path):
        self.classifier, self.efficientnet = (
            [torch.tensor(each, device=DEVICE) for each in np.load(folder / f"{name}.npz").values()]
            for name in ("classifier", "efficientnet")
        )
        self.stages = np.load(folder / "stages.npy").tolist()

    def spaces(self) -> dict:
        """The function of each space, [n, 3, 32, 32] in [-1, 1] to [n, d], by name."""
        return {"cifar10-classifier": self.of_classifier, "imagenet-efficientnet-lite0": self.of_efficientnet}

    def of_classifier(self, x):
        """The features of zoo/cifar10_classifier."""
        weights = iter(self.classifier)
        for _ in range(3):
            for depth in range(2):
                kernel, scale, offset, mean, variance = itertools.islice(weights, 5)
                scale = scale * (variance + 1e-3).rsqrt()
                x = F.relu(convolve(x, kernel * scale, offset - mean * scale))
                x = x if depth else F.max_pool2d(x, 2)
        kernel, bias = itertools.islice(weights, 2)
        return F.relu(x.permute(0, 2, 3, 1).flatten(1) @ kernel + bias)

    def of_efficientnet(self, x):
        """The features of zoo/imagenet_efficientnet_lite0."""
        weights = iter(self.efficientnet)
        x = F.interpolate(x, (SIDE, SIDE), mode="bilinear", align_corners=False)
        x = F.relu6(convolve((127.5 * x + 0.5) / 128.0, next(weights), next(weights), 2))
        for expansion, filters, blocks, first, _ in self.stages:
            for block in range(blocks):
                stride, start = (1 if block else first), x
                if expansion > 1:
                    x = F.relu6(convolve(x, next(weights), next(weights)))
                x = F.relu6(convolve(x, next(weights), next(weights), stride, groups=x.shape[1]))
                x = convolve(x, next(weights), next(weights))
                x = x + start if stride == 1 and start.shape[1] == filters else x
        return F.relu6(convolve(x, next(weights), next(weights))).mean((2, 3))


class Scorer:
    """Frechet distances to real images in both spaces."""

    def __init__(self, features: Features, pixels: torch.Tensor, samples: int):
        self.features, self.samples = features, samples
        latents = torch.Generator("cpu").manual_seed(0)
        self.latents = torch.randn(samples, LATENT_DIM, generator=latents).to(DEVICE)
        chosen = torch.randperm(len(pixels), generator=latents)[:samples].to(DEVICE)
        self.real = self._moments(pixels[chosen[i : i + CHUNK]].float() / 127.5 - 1 for i in self._starts())
        for name, (mean, covariance) in self.real.items():
            values, vectors = torch.linalg.eigh(covariance)
            self.real[name] = mean, covariance, (vectors * values.clamp(min=0).sqrt()) @ vectors.T

    def _starts(self):
        return range(0, self.samples, CHUNK)

    @torch.no_grad()
    def _moments(self, batches):
        found = {name: [] for name in self.features.spaces()}
        for images in batches:
            images = images.contiguous(memory_format=torch.channels_last)
            for name, function in self.features.spaces().items():
                found[name].append(function(images).double())
        return {name: (torch.cat(each).mean(0), torch.cat(each).T.cov()) for name, each in found.items()}

    @torch.no_grad()
    def __call__(self, generator: nn.Module) -> dict[str, float]:
        """The distances of a generator, by space."""
        images = (generator(self.latents[i : i + CHUNK]).float() for i in self._starts())
        scores = {}
        for name, (mean, covariance) in self._moments(images).items():
            real_mean, real_covariance, root = self.real[name]
            trace = torch.linalg.eigvalsh(root @ covariance @ root).clamp(min=0).sqrt().sum()
            distance = (mean - real_mean).square().sum() + covariance.trace() + real_covariance.trace() - 2 * trace
            scores[name] = round(distance.item(), 2)
        return scores

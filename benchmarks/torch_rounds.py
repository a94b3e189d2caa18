"""The rounds of `torch_gpu.py`: which students are trained side by side, and by which recipes.

A round is a function of a study and its teachers, the best last. It returns its students by name.
"""

import dataclasses
import itertools

from torch import nn
from torch_gan import Recipe
from torch_run import Run
from torch_study import Published, Study

BASE = Recipe("dcgan", 32, (32, 64, 128), gamma=2.0, rate=1e-3, d_rate=1e-3, use_batch_norm=True)
SPECTRAL_CHANGES = {"spectral": True, "widths": (64,), "gamma": 0.0, "rate": 2e-4, "d_rate": 4e-4, "decay": True}
SPECTRAL = dataclasses.replace(BASE, **SPECTRAL_CHANGES)


def recipes(study: Study, teachers: list[nn.Module]) -> dict:
    """The first search, of the DCGAN's discriminator."""
    real, bank = study.real, study.bank(teachers[-1], 50_000)
    changes = {
        "base": BASE,
        "gamma 0.1": dataclasses.replace(BASE, gamma=0.1),
        "wide": dataclasses.replace(BASE, widths=(64, 128, 256)),
        "spectral": SPECTRAL,
    }
    runs = {}
    for name, recipe in changes.items():
        runs |= {f"dcgan {name} vanilla": Run(recipe, [real]), f"dcgan {name} akdg": Run(recipe, [real, bank])}
    return runs


def spectral(study: Study, teachers: list[nn.Module]) -> dict:
    """The MLP against strong discriminators, and the DCGAN with other weights of the two terms."""
    real, bank = study.real, study.bank(teachers[-1], 50_000)
    mlp = dataclasses.replace(SPECTRAL, network="mlp")
    return {
        "mlp spectral vanilla": Run(mlp, [real]),
        "mlp spectral akdg": Run(mlp, [real, bank]),
        "dcgan spectral, lambda 0.3 akdg": Run(dataclasses.replace(SPECTRAL, weights=(1.0, 0.3)), [real, bank]),
        "dcgan spectral, D_KD alone": Run(SPECTRAL, [bank]),
        "mlp spectral, rates x2.5 akdg": Run(dataclasses.replace(mlp, rate=5e-4, d_rate=1e-3), [real, bank]),
    }


def by_teacher(study: Study, teachers: list[nn.Module]) -> dict:
    """Every teacher with two weights of its term, beside vanilla; and a bank that is a quarter of the others."""
    runs = {"vanilla": Run(SPECTRAL, [study.real])}
    for i, teacher in enumerate(teachers):
        bank = study.bank(teacher, 200_000)
        for weight in (1.0, 0.3):
            recipe = dataclasses.replace(SPECTRAL, weights=(1.0, weight))
            runs[f"akdg, teacher {i}, lambda {weight}"] = Run(recipe, [study.real, bank])
    runs["akdg, bank of 50,000"] = Run(SPECTRAL, [study.real, bank[:50_000]])
    return runs


def mlps(study: Study, teachers: list[nn.Module]) -> dict:
    """The search of the MLP's recipe."""
    real, bank = study.real, study.bank(teachers[-1], 200_000)
    base = dataclasses.replace(BASE, network="mlp")
    changes = {
        "base": {},
        "gamma 0.1": {"gamma": 0.1},
        "gamma 10": {"gamma": 10.0},
        "wide": {"widths": (64, 128, 256)},
        "twice as wide": {"widths": (128, 256, 512)},
        "decay": {"decay": True},
        "rates of 3e-4": {"rate": 3e-4, "d_rate": 3e-4},
        "spectral with R1": {**SPECTRAL_CHANGES, "gamma": 2.0},
    }
    runs = {}
    for name, change in changes.items():
        recipe = dataclasses.replace(base, **change)
        runs |= {f"mlp {name} vanilla": Run(recipe, [real]), f"mlp {name} akdg": Run(recipe, [real, bank])}
    runs["mlp lambda 0.3 akdg"] = Run(dataclasses.replace(base, weights=(1.0, 0.3)), [real, bank])
    return runs


def seeds(study: Study, teachers: list[nn.Module]) -> dict:
    """Vanilla and AKDG with both sizes of the bank, twice more, from other first weights."""
    real, bank = study.real, study.bank(teachers[-1], 200_000)
    images = {"vanilla": [real], "akdg": [real, bank], "akdg, bank of 50,000": [real, bank[:50_000]]}
    return {f"{name}, again {i}": Run(SPECTRAL, pixels) for i in (1, 2) for name, pixels in images.items()}


def by_method(study: Study, teachers: list[nn.Module], recipe: Recipe) -> dict[str, Run]:
    """A student by each method, with three seeds."""
    real, (latents, bank) = study.real, study.pairs(teachers[-1], 200_000)
    methods = {
        "vanilla": Run(recipe, [real]),
        "mse": Run(recipe, [bank], latents=latents),
        "akdg": Run(recipe, [real, bank], flip_teacher=True),
    }
    runs = itertools.product(range(3), methods.items())
    return {f"{recipe.network} {name} seed {seed}": dataclasses.replace(run, seed=seed) for seed, (name, run) in runs}


def published_dcgans(study: Study, teachers: list[nn.Module]) -> dict[str, Run]:
    """The published DCGANs: `gin/cpu_hours.gin` with `gin/spectral.gin`."""
    return by_method(study, teachers, SPECTRAL)


def published_mlps(study: Study, teachers: list[nn.Module]) -> dict[str, Run]:
    """The published MLPs: `gin/cpu_hours.gin`."""
    return by_method(study, teachers, dataclasses.replace(BASE, network="mlp", widths=(64, 128, 256)))


PUBLISHED = {
    "dcgan": Published(20_000, (2_500, 5_000, 10_000, 15_000)),
    "mlps": Published(50_000, (5_000, 10_000, 20_000, 35_000)),
}

ROUNDS = {
    "seeds": seeds,
    "recipes": recipes,
    "spectral": spectral,
    "teachers": by_teacher,
    "mlp": mlps,
    "dcgan": published_dcgans,
    "mlps": published_mlps,
}

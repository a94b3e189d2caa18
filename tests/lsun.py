"""LSUN's format from real photographs: an LMDB environment that holds JPEG and WebP under keys of 40 hex digits.

The photographs are the two that scikit-learn ships, cropped at different places.
"""

import functools
import hashlib
import io

import lmdb
import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_image

SIDE = 256  # LSUN's images are resized so that their shorter side has 256 pixels
FORMATS = ("JPEG", "WEBP")


@functools.cache
def photographs():
    return [Image.fromarray(load_sample_image(name)) for name in ("china.jpg", "flower.jpg")]


def crops(count, size=(SIDE, SIDE + 80)):
    """Crops of the photographs, as many as wanted, all different; size: (height, width)."""
    height, width = size
    numbers = np.random.default_rng(0)
    found = []
    for number in range(count):
        photograph = photographs()[number % 2]
        left, top = (
            int(numbers.integers(0, room + 1)) for room in (photograph.width - width, photograph.height - height)
        )
        found.append(photograph.crop((left, top, left + width, top + height)))
    return found


def encoded(image, format="JPEG"):
    """The content of an image file, in LSUN's quality."""
    content = io.BytesIO()
    image.save(content, format, quality=75)
    return content.getvalue()


def values(count, size=(SIDE, SIDE + 80)):
    """Encoded crops, JPEG and WebP in turns."""
    return [encoded(image, FORMATS[number // 2 % 2]) for number, image in enumerate(crops(count, size))]


def key_of(value):
    return hashlib.sha1(value).hexdigest().encode()


def write(folder, entries):
    """Makes an LMDB environment; entries: values, or a dict of keys and values. Returns them, sorted by their keys."""
    pairs = sorted(entries.items() if isinstance(entries, dict) else ((key_of(value), value) for value in entries))
    with lmdb.open(str(folder), map_size=1 << 30) as environment, environment.begin(write=True) as transaction:
        for key, value in pairs:
            transaction.put(key, value)
    return pairs

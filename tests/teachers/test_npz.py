"""An .npz file that is damaged or holds something else: one line, which names it."""

import numpy as np
import pytest

from akdg_tf.errors import UserError
from akdg_tf.teachers import npz
from akdg_tf.teachers.npz import of_npz

BYTES = np.random.default_rng(1).integers(0, 256, (6, 4, 6, 3), np.uint8)
NUMBERS = "must hold 'images' .n, height, width, 1 or 3., numbers, not "


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"images": BYTES.astype(str)}, NUMBERS + r"<U\d+ \(6, 4, 6, 3\)"),
        ({"images": BYTES + 1j}, NUMBERS + r"complex128 \(6, 4, 6, 3\)"),
        ({"images": BYTES[:, :0]}, NUMBERS + r"uint8 \(6, 0, 6, 3\)"),
        ({"images": BYTES[:0]}, NUMBERS + r"uint8 \(0, 4, 6, 3\)"),
        ({"images": np.array([{}])}, r"cannot be read \(arrays of objects\)"),
        ({"images": BYTES, "latents": np.full((6, 3), np.nan)}, "holds latents that are not finite"),
        ({"images": BYTES, "latents": np.full((6, 3), 1e300)}, "holds latents that are not finite"),
        ({"images": BYTES, "latents": np.full((6, 3), "a")}, r"holds latents <U1 \(6, 3\) for 6 images"),
        ({"images": BYTES, "latents": np.ones((6, 0))}, r"holds latents float64 \(6, 0\) for 6 images"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_arrays_of_something_else(arrays, says, tmp_path):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(UserError, match=rf"^{tmp_path}/x.npz {says}"):
        of_npz(tmp_path / "x.npz", None)


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def scratch(path):
    content = bytearray(path.read_bytes())
    content[200:260] = bytes(60)
    path.write_bytes(content)


def save_one_array(path):
    np.save(path.with_suffix(".npy"), BYTES)
    path.with_suffix(".npy").rename(path)


@pytest.mark.parametrize("damage", [cut, scratch, save_one_array, lambda path: path.write_bytes(b"")])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_damaged_file(damage, save, tmp_path):
    save(tmp_path / "x.npz", images=BYTES)
    damage(tmp_path / "x.npz")
    with pytest.raises(UserError, match=rf"^{tmp_path}/x.npz cannot be read \(.+\): it must be an .npz file") as caught:
        of_npz(tmp_path / "x.npz", None)
    assert "\n" not in str(caught.value)


def test_a_file_that_would_fill_the_memory_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(npz, "MOST_INFLATED", 10**6)
    np.savez_compressed(tmp_path / "x.npz", images=np.zeros((1000, 64, 64, 1), np.uint8))
    with pytest.raises(UserError, match=r"x.npz cannot be read \(its 0.0 MB would take 0.0 GB of memory\)"):
        of_npz(tmp_path / "x.npz", None)
    noise = np.random.default_rng(0).integers(0, 256, (300, 64, 64, 1), np.uint8)
    np.savez_compressed(tmp_path / "x.npz", images=noise)
    assert of_npz(tmp_path / "x.npz", None).sample_shape == (64, 64, 1)

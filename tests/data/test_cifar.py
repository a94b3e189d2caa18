"""CIFAR-10 from files that nobody vouches for: the official layout, and what may be wrong with it."""

import pickle
import pickletools

import contracts
import keras
import numpy as np
import pytest

from akdg_tf.data import cifar
from akdg_tf.errors import UserError

COUNT = 20


def batch(name, **changed):
    """One batch as the official archive holds it: byte keys, rows of 1,024 red, green and blue values."""
    label = {"test_batch": "testing batch 1 of 1"}.get(name, f"training batch {name[-1]} of 5")
    data = np.random.default_rng(len(name) + ord(name[-1])).integers(0, 256, (COUNT, 3072), dtype=np.uint8)
    names = [f"auto_s_{number:06}.png".encode() for number in range(COUNT)]
    labels = [number % 10 for number in range(COUNT)]
    return {b"batch_label": label.encode(), b"labels": labels, b"data": data, b"filenames": names} | {
        key.encode(): value for key, value in changed.items()
    }


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / cifar.FOLDER
    root.mkdir()
    for name in cifar.NAMES:
        (root / name).write_bytes(pickle.dumps(batch(name)))
    return root


def test_the_official_layout_gives_training_and_test_images(folder):
    dataset = cifar.load_cifar10(folder.parent)
    assert (dataset.split, dataset.test.split) == ("train (100)", "test (20)")
    assert dataset.images.shape == (100, 32, 32, 3) and dataset.images.dtype == np.uint8
    row, pixel = batch("data_batch_2")[b"data"][3], 5 * 32 + 7
    np.testing.assert_array_equal(dataset.images[COUNT + 3, 5, 7], row[[pixel, 1024 + pixel, 2048 + pixel]])
    assert dataset.labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    np.testing.assert_array_equal(dataset.test.images[0, 0, 0], batch("test_batch")[b"data"][0, ::1024])


def test_the_folder_itself_may_be_named_too(folder):
    np.testing.assert_array_equal(cifar.load_cifar10(folder).images, cifar.load_cifar10(folder.parent).images)


def test_images_that_were_re_encoded_as_jpeg_are_called_so(folder):
    for name in cifar.NAMES:
        names = [f"frog_{number}.jpg".encode() for number in range(COUNT)]
        (folder / name).write_bytes(pickle.dumps(batch(name, filenames=names)))
    dataset = cifar.load_cifar10(folder)
    assert (dataset.split, dataset.test.split) == ("train (100, JPEG)", "test (20, JPEG)")


class Hostile:
    """Unpickled, it would call a function of its choice, and give what that returns a state."""

    def __init__(self, function, arguments=(), state=None):
        self.call = (function, arguments, state)[: 2 if state is None else 3]

    def __reduce__(self):
        return self.call


def test_a_pickle_that_calls_a_function_is_refused_before_it_does(folder, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("here")
    path = folder / "data_batch_3"
    path.write_bytes(pickle.dumps(batch("data_batch_3", labels=Hostile(victim.unlink))))
    with pytest.raises(UserError, match=r"data_batch_3 .* names .*, which an array does not need"):
        cifar.read_batch(path)
    assert victim.exists()


@pytest.mark.parametrize("name", ["builtins.eval", "os.system", "numpy.load", "numpy._core.multiarray.fromstring"])
def test_only_what_an_array_is_made_of_can_be_named(folder, name):
    module, _, function = name.rpartition(".")
    path = folder / "data_batch_1"
    path.write_bytes(f"c{module}\n{function}\n.".encode())
    with pytest.raises(UserError, match=f"names '{name}', which an array does not need"):
        cifar.read_batch(path)


def nested(levels):
    value = 0
    for _ in range(levels):
        value = [value] * 30
    return value


@pytest.mark.parametrize(
    "content",
    [
        # A dtype whose state says that raw bytes are objects, which numpy would believe, and follow as pointers.
        pickle.dumps(
            batch(
                "data_batch_1",
                filenames=Hostile(
                    np._core.multiarray._reconstruct,
                    (np.ndarray, (0,), b"b"),
                    (
                        1,
                        (20,),
                        Hostile(np.dtype, ("O8", False, True), (3, "|", None, None, None, -1, -1, 0)),
                        False,
                        b"A" * 160,
                    ),
                ),
            )
        ),
        pickle.dumps(batch("data_batch_1", data=Hostile(np.ndarray, ((COUNT, 3072), "u1")))),  # whatever memory holds
        pickle.dumps(batch("data_batch_1", data=Hostile(np.ndarray, ((1 << 30, 3072), "u1", b"x", 0, (0, 0))))),
        pickle.dumps(batch("data_batch_1", labels=nested(12))),  # 30 to the power of 12 numbers, were they unrolled
        b"})" + b"\x85" * 1_000_000 + b"K\x01s.",  # a key of a million nested tuples
        b"K\x01r" + (1 << 26).to_bytes(4, "little") + b".",  # a memo of 64 million entries
        b"Pfoo\n.",
        b"\x80\x02\x8c\x05os\nxx\x8c\x05ev\nal\x93.",
    ],
    ids=["forged pointers", "uninitialised", "endless", "nested lists", "nested tuples", "memo", "persistent", "lines"],
)
def test_what_is_made_to_break_the_reader_gets_one_line(folder, content):
    path = folder / "data_batch_1"
    path.write_bytes(content)
    with pytest.raises(UserError, match="data_batch_1") as caught:
        cifar.read_batch(path)
    assert len(str(caught.value).splitlines()) == 1


def test_an_array_in_fortran_order_is_read_too(folder):
    path = folder / "data_batch_1"
    path.write_bytes(pickle.dumps(batch("data_batch_1", data=np.asfortranarray(batch("data_batch_1")[b"data"]))))
    np.testing.assert_array_equal(cifar.read_batch(path)[0][5, 0, 0], batch("data_batch_1")[b"data"][5, ::1024])


def test_an_array_of_either_numpy_is_read(folder):
    path = folder / "data_batch_1"
    content = pickle.dumps(batch("data_batch_1"), protocol=3)
    path.write_bytes(content.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n"))
    assert any("numpy.core.multiarray" in str(argument) for _, argument, _ in pickletools.genops(path.read_bytes()))
    assert cifar.read_batch(path)[0].shape == (COUNT, 32, 32, 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps(batch("data_batch_1"))[:-4000], "damaged"),
        (b"", "damaged"),
        (b"\x89PNG not a pickle at all", "damaged"),
        (pickle.dumps([1, 2]), "damaged"),
        (pickle.dumps({b"data": np.zeros((2, 3072), np.uint8)}), "lacks b'labels'"),
        (pickle.dumps(batch("data_batch_4")), "was renamed: its content is 'training batch 4 of 5'"),
        (pickle.dumps(batch("test_batch")), "was renamed"),
        (pickle.dumps(batch("data_batch_1", data=np.zeros((COUNT, 3072), np.float32))), r"must be uint8 \[n, 3072\]"),
        (pickle.dumps(batch("data_batch_1", data=np.zeros((COUNT, 3071), np.uint8))), r"must be uint8 \[n, 3072\]"),
        (
            pickle.dumps(batch("data_batch_1", data=np.zeros((COUNT - 1, 3072), np.uint8))),
            "20 file names|19 file names",
        ),
        (pickle.dumps(batch("data_batch_1", labels=[10] * COUNT)), "from 0 to 9"),
        (pickle.dumps(batch("data_batch_1", labels=[True] * COUNT)), "from 0 to 9"),
        (pickle.dumps(batch("data_batch_1", labels=[0.5] * COUNT)), "it uses BINFLOAT, which a batch does not need"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_not_the_batch_that_its_name_says_is_named(folder, content, message):
    path = folder / "data_batch_1"
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"data_batch_1.*{message}"):
        cifar.load_cifar10(folder)


def test_a_missing_file_is_named(folder):
    (folder / "test_batch").unlink()
    with pytest.raises(UserError, match=r"test_batch is missing"):
        cifar.load_cifar10(folder)


@pytest.mark.parametrize("given", [True, False])
def test_without_data_one_line_says_the_three_ways_to_give_it(tmp_path, monkeypatch, given):
    def no_network():
        raise Exception("URL fetch failure on https://nowhere: None")

    monkeypatch.setattr(keras.datasets.cifar10, "load_data", no_network)
    with pytest.raises(UserError) as caught:
        cifar.load_cifar10(tmp_path if given else None)
    line = str(caught.value)
    assert "\n" not in line
    assert all(way in line for way in ("cifar-10-batches-py", "Data.name='folder'", "keras.datasets"))


def test_training_and_test_images_keep_the_contract_of_datasets(folder):
    dataset = cifar.load_cifar10(folder)
    for split in (dataset, dataset.test):
        contracts.dataset_contract(split)

"""LMDB files, read page by page: what LMDB's own library writes and reads is the reference."""

import os
import struct

import lmdb
import lsun
import numpy as np
import pytest

from akdg_tf.data import lmdb_file
from akdg_tf.data.lmdb_file import LmdbFile
from akdg_tf.errors import UserError

PAGE = 4096
FREE, MAIN, LAST_PAGE = 16 + 24, 16 + 24 + 48, 16 + 24 + 2 * 48  # where a meta page holds them
DEPTH, ENTRIES, ROOT = 6, 32, 40  # where a tree's record holds them


def random_entries(count, value_sizes):
    numbers = np.random.default_rng(0)
    return {
        numbers.bytes(int(numbers.integers(1, 400))): numbers.bytes(int(numbers.choice(value_sizes)))
        for _ in range(count)
    }


def entries_of(folder):
    file = LmdbFile(folder / "data.mdb")
    return [(file.key(number), file.value(number)) for number in range(len(file))]


@pytest.fixture
def folder(tmp_path):
    """A tree of several levels, whose values lie in the leaf pages and on pages of their own."""
    lsun.write(tmp_path / "db", random_entries(300, [0, 3, 500, 1000, 9000]))
    return tmp_path / "db"


@pytest.fixture
def content(folder):
    """What may be changed and written back."""
    return bytearray((folder / "data.mdb").read_bytes())


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [5]), (1, [50_000]), (300, [0, 1, 2030, 2040, 2050, 4080, 20_000]), (3000, [60])]
)
def test_keys_and_values_are_those_that_were_written_in_the_order_of_lmdb(count, sizes, tmp_path):
    written = lsun.write(tmp_path / "db", random_entries(count, sizes))
    with lmdb.open(str(tmp_path / "db"), readonly=True, lock=False) as environment, environment.begin() as transaction:
        assert list(transaction.cursor()) == written
    assert entries_of(tmp_path / "db") == written


def test_the_last_transaction_counts_and_what_was_deleted_is_gone(folder):
    """Each transaction writes the other meta page."""
    left = dict(entries_of(folder))
    with lmdb.open(str(folder), map_size=1 << 26) as environment:
        for turn in range(3):
            with environment.begin(write=True) as transaction:
                for key in list(left)[turn::4]:
                    transaction.delete(key)
                    del left[key]
            assert entries_of(folder) == sorted(left.items())
    assert len(left) < 200


def test_reading_leaves_the_folder_as_it_is(folder):
    os.remove(folder / "lock.mdb")
    before = (folder / "data.mdb").read_bytes()
    entries_of(folder)
    assert os.listdir(folder) == ["data.mdb"] and (folder / "data.mdb").read_bytes() == before


def test_a_file_that_is_open_may_be_opened_again(folder):
    first, second = LmdbFile(folder / "data.mdb"), LmdbFile(folder / "data.mdb")
    assert first.value(7) == second.value(7)


def test_the_digest_stays_when_the_file_is_compacted(folder, tmp_path):
    digest = LmdbFile(folder / "data.mdb").digest()
    (tmp_path / "compact").mkdir()
    with lmdb.open(str(folder), readonly=True, lock=False) as environment:
        environment.copy(str(tmp_path / "compact"), compact=True)
    assert (tmp_path / "compact" / "data.mdb").read_bytes() != (folder / "data.mdb").read_bytes()
    assert LmdbFile(tmp_path / "compact" / "data.mdb").digest() == digest and len(digest) == 32


def test_whatever_changes_the_entries_changes_the_digest(tmp_path, monkeypatch):
    entries = {b"ab": b"one", b"b": b"two", b"c": b"three"}
    changes = [
        entries,
        {**entries, b"d": b""},
        {b"a": b"one", b"bb": b"two", b"c": b"three"},
        {b"ab": b"one!", b"b": b"two", b"c": b"hree"},
        {**entries, b"b": b"TWO"},
    ]
    found = []
    for number, changed in enumerate(changes):
        lsun.write(tmp_path / str(number), changed)
        found.append(LmdbFile(tmp_path / str(number) / "data.mdb").digest())
    assert len(set(found)) == len(changes)
    monkeypatch.setattr(lmdb_file, "SAMPLED", 1)  # the content of the first value alone
    first, *_, last = (LmdbFile(tmp_path / str(number) / "data.mdb").digest() for number in range(len(changes)))
    assert first == last


def test_a_file_that_is_cut_anywhere_is_one_line(folder, content):
    found = set()
    for size in (0, 100, PAGE + 100, *range(2 * PAGE, len(content) - 20 * PAGE, 7 * PAGE)):
        (folder / "data.mdb").write_bytes(content[:size])
        with pytest.raises(UserError, match=r"data\.mdb is ") as caught:
            LmdbFile(folder / "data.mdb")
        found.add(str(caught.value).partition("data.mdb is ")[2].split()[0])
    assert found == {"not", "damaged", "cut:"}


def test_a_cut_file_is_told_how_long_it_should_be(folder, content):
    (folder / "data.mdb").write_bytes(content[: len(content) // 2])
    says = rf"is cut: it holds {len(content) // 2:,} of {len(content):,} bytes; copy or download it again$"
    with pytest.raises(UserError, match=says):
        LmdbFile(folder / "data.mdb")


def test_damaged_pages_are_one_line(folder, content):
    """A library that maps the file ends the process here. Pages that hold values alone may change."""
    whole, damaged = entries_of(folder), 0
    numbers = np.random.default_rng(0)
    for start in range(2 * PAGE, len(content), 7 * PAGE):
        for page in (bytes(PAGE), numbers.bytes(PAGE), content[start : start + 16] + numbers.bytes(PAGE - 16)):
            (folder / "data.mdb").write_bytes(content[:start] + page + content[start + PAGE :])
            try:
                assert [key for key, _ in entries_of(folder)] == [key for key, _ in whole]
            except UserError as error:
                assert "is damaged (" in str(error) or "is cut" in str(error) or "sub-databases" in str(error)
                damaged += 1
    assert damaged > 5


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (FREE, struct.pack("<I", 4095)),
        (MAIN + DEPTH, struct.pack("<H", 1)),
        (MAIN + DEPTH, struct.pack("<H", 1000)),
        (MAIN + ENTRIES, struct.pack("<Q", 299)),
        (MAIN + ENTRIES, struct.pack("<Q", 301)),
        (MAIN + ENTRIES, struct.pack("<Q", 2**60)),
        (MAIN + ROOT, struct.pack("<Q", 0)),
        (MAIN + ROOT, struct.pack("<Q", 2**60)),
        (LAST_PAGE, struct.pack("<Q", 5)),
    ],
)
def test_a_damaged_meta_page_is_one_line(place, value, folder, content):
    for start in (0, PAGE):
        content[start + place : start + place + len(value)] = value
    (folder / "data.mdb").write_bytes(content)
    with pytest.raises(UserError, match=r"is damaged \(.*\): copy or download it again$"):
        LmdbFile(folder / "data.mdb")


def test_branches_that_lead_to_one_page_again_and_again_come_to_an_end(folder, content):
    (root,) = struct.unpack_from("<Q", content, PAGE + MAIN + ROOT)
    (lower,) = struct.unpack_from("<H", content, root * PAGE + 12)
    nodes = struct.unpack_from(f"<{(lower - 16) // 2}H", content, root * PAGE + 16)
    for node in nodes[1:]:
        content[root * PAGE + node : root * PAGE + node + 6] = content[root * PAGE + nodes[0] :][:6]
    (folder / "data.mdb").write_bytes(content)
    with pytest.raises(UserError, match="is damaged"):
        LmdbFile(folder / "data.mdb")


def test_sub_databases_are_refused_by_name(folder):
    with lmdb.open(str(folder), max_dbs=2) as environment:
        environment.open_db(b"train")
    with pytest.raises(UserError, match=r"holds sub-databases, such as 'train': only images in its main database"):
        LmdbFile(folder / "data.mdb")


def test_an_empty_file_of_lmdb_is_one_line(tmp_path):
    lsun.write(tmp_path / "db", [])
    with pytest.raises(UserError, match=r"data\.mdb is an empty LMDB file$"):
        LmdbFile(tmp_path / "db" / "data.mdb")


@pytest.mark.parametrize("write", [lambda path: path.write_bytes(b"no database" * 1000), lambda path: path.touch()])
def test_another_file_is_one_line(write, tmp_path):
    write(tmp_path / "data.mdb")
    with pytest.raises(UserError, match=r"data\.mdb is not a file of LMDB 0\.9 that a little-endian"):
        LmdbFile(tmp_path / "data.mdb")


def test_the_format_of_lmdb_1_is_one_line(tmp_path):
    lmdb.open(str(tmp_path / "db"), lib_version=1).close()
    with pytest.raises(UserError, match=r"data\.mdb is not a file of LMDB 0\.9"):
        LmdbFile(tmp_path / "db" / "data.mdb")


def test_a_file_that_the_system_cannot_read_is_one_line(tmp_path):
    (tmp_path / "data.mdb").mkdir()
    with pytest.raises(UserError, match=r"data.mdb cannot be read \(Is a directory\)$"):
        LmdbFile(tmp_path / "data.mdb")


def test_nodes_that_lie_over_each_other_are_one_line(folder, content):
    """Otherwise a file of some KB could hold gigabytes of keys: the same long key for each of thousands of nodes."""
    for start in range(2 * PAGE, len(content), PAGE):
        flags, lower = struct.unpack_from("<HH", content, start + 10)
        if flags == 2:  # a leaf; its nodes begin where these numbers say
            count = (lower - 16) // 2
            nodes = struct.unpack_from(f"<{count}H", content, start + 16)
            struct.pack_into(f"<{count}H", content, start + 16, *[min(nodes)] * count)
    (folder / "data.mdb").write_bytes(content)
    with pytest.raises(UserError, match=r"data\.mdb is damaged \(page \d+\)"):
        LmdbFile(folder / "data.mdb")

"""The bank: what is written comes back, splits stay apart, and damage is named."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from neurdsp.drumsep.data.bank import open_bank, write_bank
from neurdsp.drumsep.data.prepare import DEFAULT_SOURCES, KNOWN, find_kits, prepare
from neurdsp.errors import ConfigError


def test_recordings_come_back_within_half_a_step_of_16_bits(bank, make_kit):
    written = make_kit("kit train", "train", 0)
    stored = bank.of("train")[0]
    for instrument in written.instruments:
        (alternative,) = stored.roles[instrument.role]
        for stroke, found in zip(instrument.strokes, alternative, strict=True):
            assert (found.low, found.high) == (stroke.low, stroke.high)
            error = np.abs(found.samples * found.scale - stroke.samples).max()
            assert error <= 0.502 * np.abs(stroke.samples).max() / 32767


def test_performances_come_back_by_split(bank, make_performance):
    for seed, split in enumerate(("train", "validation", "test")):
        assert len(bank.performances[split]) == 2
        assert np.array_equal(bank.performances[split][0].times_s, make_performance(split, seed).times_s)


def test_a_recording_that_two_kits_share_is_stored_once(tmp_path, make_kit, make_performance):
    alone, both = tmp_path / "alone.safetensors", tmp_path / "both.safetensors"
    write_bank(alone, [make_kit("a", "train")], [make_performance("train", 0)])
    write_bank(both, [make_kit("a", "train"), make_kit("b", "train")], [make_performance("train", 0)])
    assert both.stat().st_size < alone.stat().st_size + 4000
    assert open_bank(both).fingerprint != open_bank(alone).fingerprint


def test_the_fingerprint_is_that_of_the_content(tmp_path, bank, bank_path, make_kit, make_performance):
    again = tmp_path / "again.safetensors"
    kits = [
        make_kit(f"kit {split}", split, seed) for seed, split in enumerate(("train", "validation", "test"))
    ]
    performances = [make_performance(s, k) for k, s in enumerate(("train", "validation", "test") * 2)]
    write_bank(again, kits, performances)
    assert again.read_bytes() == bank_path.read_bytes()
    assert open_bank(again).fingerprint == bank.fingerprint


def test_a_split_without_kits_is_refused(tmp_path, make_kit, make_performance):
    path = tmp_path / "bank.safetensors"
    write_bank(path, [make_kit("a", "train")], [make_performance("train", 0)])
    with pytest.raises(ConfigError, match=r"0 kits and 0 performances.*'test'"):
        open_bank(path).of("test")


def test_a_damaged_bank_is_refused_in_one_line(tmp_path, bank_path):
    good = bank_path.read_bytes()
    (length,) = struct.unpack("<Q", good[:8])
    header = json.loads(good[8 : 8 + length])
    far = json.loads(json.dumps(header))
    far["samples"]["data_offsets"][1] += 2
    other = {**header, "__metadata__": {**header["__metadata__"], "format": "something"}}

    def with_header(tree):
        text = json.dumps(tree).encode()
        return struct.pack("<Q", len(text)) + text + good[8 + length :]

    strokes = 8 + length + header["strokes"]["data_offsets"][0]
    outside = good[: strokes + 8] + struct.pack("<q", 1 << 60) + good[strokes + 16 :]
    cases = [
        b"",
        b"no bank",
        good[:-1000],
        struct.pack("<Q", 1 << 62),
        with_header(far),
        with_header(other),
        outside,
    ]
    for number, data in enumerate(cases):
        path = tmp_path / f"bad{number}.safetensors"
        path.write_bytes(data)
        with pytest.raises(ConfigError, match=f"bad{number}.*neurdsp drumsep prepare"):
            open_bank(path)
    with pytest.raises(ConfigError, match="cannot read the bank"):
        open_bank(tmp_path / "absent.safetensors")


def test_kits_of_one_author_are_in_one_split():
    """Kits of one maker may share recordings: what has heard one must not be judged on the other."""
    splits = {}
    for name, known in KNOWN.items():
        assert splits.setdefault(known.author, known.split) == known.split, name
    assert {known.split for known in KNOWN.values()} == {"train", "validation", "test"}


def test_prepare_refuses_an_author_in_two_splits_and_writes_nothing(tmp_path):
    output = tmp_path / "bank.safetensors"
    counts = {"train": {"808": 1}}
    with pytest.raises(ConfigError, match="no drum kit there"):
        prepare(output, groove=tmp_path, sources=[tmp_path / "absent"], synthesised=counts)
    assert not output.exists()


def test_the_default_sources_are_paths_of_packages():
    assert all(source.startswith("/usr/share/") for source in DEFAULT_SOURCES)
    with pytest.raises(ConfigError, match=r"an \.sf2 file"):
        find_kits(Path("/nonexistent/kit"))

"""``neurdsp drumsep report``: a page that holds the sound, the pictures and the figures of a separation."""

import base64
import io
import re
import shutil

import numpy as np
import pytest
import soundfile
from neurdsp.audio import write_audio
from neurdsp.drumsep.judge.report import Separation, write_listening_report
from neurdsp.drumsep.loop import render_loop
from neurdsp.errors import ParameterError

RATE = 44_100


def sounds(page, kind="audio"):
    """Decode the tracks of a page."""
    return [
        soundfile.read(io.BytesIO(base64.b64decode(text)), dtype="float32")[0].T
        for text in re.findall(rf'data-{kind}="([^"]+)"', page)
    ]


@pytest.fixture(scope="module")
def loop():
    return render_loop(1)


def test_the_stems_of_the_loop_sum_to_it_and_stay_below_full_scale(loop):
    np.testing.assert_allclose(sum(loop.stems.values()), loop.mixture, atol=1e-6)
    assert np.abs(loop.mixture).max() == pytest.approx(0.9, abs=1e-3)
    assert np.array_equal(loop.mixture, render_loop(1).mixture)
    # Toms are in the third bar only.
    assert [name for name, stem in loop.stems.items() if not stem.any()] == ["toms"]
    assert all(stem.any() for stem in render_loop().stems.values())
    with pytest.raises(ParameterError, match="n_bars is 4"):
        render_loop(4)


def test_a_page_plays_the_recording_the_stems_and_what_is_in_none(tmp_path, loop):
    stems = {name: np.float32(0.5) * stem for name, stem in loop.stems.items()}
    found = Separation(mixture=loop.mixture, sample_rate=RATE, stems=stems, truth=loop.stems)
    write_listening_report(tmp_path / "page.html", found, title="<loop>", facts={"network": "a & b"})
    page = (tmp_path / "page.html").read_text()
    assert "<h1>&lt;loop&gt;</h1>" in page
    assert "a &amp; b" in page
    tracks = sounds(page)
    assert len(tracks) == 7
    for track, wanted in zip(tracks, [loop.mixture, *stems.values(), loop.mixture / 2], strict=True):
        np.testing.assert_allclose(track, wanted, atol=2**-14)
    np.testing.assert_allclose(sum(tracks[1:]), tracks[0], atol=2**-12)
    # A stem at half its level has an error of half its level: 6.02 dB.
    assert page.count("SDR 6.0 dB; the recording itself has") == 4
    assert len(sounds(page, "truth")) == 6
    # Nothing is fetched, and there is a picture for each track.
    assert page.count("data:image/png;base64,") == 7
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []
    # Only the recording is muted at first.
    assert re.findall(r'aria-pressed="true" aria-label="Mute (\w+)"', page) == ["recording"]


def test_all_tracks_are_turned_down_alike_if_one_would_clip(tmp_path):
    loud = 2 * np.sin(np.arange(4_410) / 9).astype(np.float32)
    found = Separation(mixture=loud / 2, sample_rate=RATE, stems={"kick": loud})
    write_listening_report(tmp_path / "page.html", found, title="loud", facts={})
    page = (tmp_path / "page.html").read_text()
    recording, kick, _ = sounds(page)
    assert np.abs(kick).max() == pytest.approx(0.98, abs=1e-3)
    np.testing.assert_allclose(recording, kick / 2, atol=2**-14)
    assert "-6.2 dB, all tracks alike" in page


def test_the_command_scores_true_stems_and_refuses_those_of_another_rate(run, tmp_path, tiny_file, loop):
    shutil.copy(tiny_file, tmp_path / "tiny.safetensors")
    write_audio(tmp_path / "loop.wav", loop.mixture, RATE)
    for name, stem in loop.stems.items():
        (tmp_path / "true").mkdir(exist_ok=True)
        write_audio(tmp_path / "true" / f"{name}.wav", stem, RATE)
    call = ["drumsep", "report", "loop.wav", "-o", "page.html", "-m", "tiny.safetensors", "--tier", "fast"]
    part = ["--start", "0.5", "--seconds", "0.5", "--truth", "true"]
    done = run(*call, *part)
    assert done.status == 0, done
    assert re.search(r"kick +SDR +-?\d+\.\d\d dB, the recording itself", done.out)
    page = (tmp_path / "page.html").read_text()
    recording = sounds(page)[0]
    np.testing.assert_allclose(
        recording / np.abs(recording).max(),
        loop.mixture[:, 22_050:44_100] / np.abs(loop.mixture[:, 22_050:44_100]).max(),
        atol=0.01,
    )
    before = (tmp_path / "true" / "snare.wav").read_bytes()
    over = run(*call[:3], "-o", "true/snare.wav", *call[5:], *part, "--overwrite")
    assert over.status == 2
    assert "also an input" in over.err
    assert (tmp_path / "true" / "snare.wav").read_bytes() == before
    write_audio(tmp_path / "true" / "kick.wav", loop.stems["kick"], 48_000)
    done = run(*call, *part, "--overwrite")
    assert done.status == 2
    assert "has 48000 Hz, but the recording 44100" in done.err
    assert (tmp_path / "page.html").read_text() == page
    done = run(*call, "--truth", "loop.wav", "--overwrite")
    assert done.status == 2
    assert "has none of the files kick.wav" in done.err

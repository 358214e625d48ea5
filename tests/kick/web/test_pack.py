"""A row holds a kick whole: what comes out of the table renders as what went in."""

import numpy as np
import pytest


@pytest.mark.parametrize("with_noise", [False, True])
def test_a_row_gives_back_the_same_kick(project, with_noise):
    from dataclasses import replace

    from double import Double
    from neurdsp.kick.web.models import SavedKick
    from neurdsp.kick.web.rows import pack, unpack

    (kick,) = Double().generate_kicks(["deep"], negative=["long"], seed=3, attributes={"pitch": 0.25})
    kick = replace(kick, noise=np.arange(64, dtype=np.float32) if with_noise else None)
    row = SavedKick(
        keywords=["deep"],
        negative=["long"],
        attributes={"pitch": 0.25},
        guidance=kick.guidance,
        packed=pack(kick),
    )
    back = unpack(row)
    assert np.array_equal(back.code.flat(), kick.code.flat())
    assert (back.key, back.keywords, back.negative) == (kick.key, kick.keywords, kick.negative)
    assert (back.attributes, back.guidance) == (kick.attributes, kick.guidance)
    assert (back.noise is None) if kick.noise is None else np.array_equal(back.noise, kick.noise)


def test_a_row_that_is_cut_off_is_no_kick(visitor):
    from neurdsp.kick.web.models import SavedKick

    (made,) = visitor.make(seconds=0.05)
    SavedKick.objects.filter(public_id=made["id"]).update(packed=b"\x00" * 100)
    answer = visitor.get(f"/api/kicks/{made['id']}/audio.wav")
    assert answer.status_code == 500
    assert "which is no kick; delete it" in answer.json()["error"]
    assert visitor.send("DELETE", f"/api/kicks/{made['id']}").status_code == 204


def test_a_waveform_keeps_the_extremes_of_the_audio(project):
    from neurdsp.kick.web.engine import N_PEAKS, peaks_of

    audio = np.zeros(88_200, np.float32)
    audio[40_000], audio[40_001] = 0.5, -1.0
    pairs = np.frombuffer(peaks_of(audio), np.int8).reshape(N_PEAKS, 2)
    assert (pairs[:, 0].min(), pairs[:, 1].max()) == (-127, 64)
    assert np.argmax(pairs[:, 1]) == int(N_PEAKS * np.sqrt(40_000 / 88_200))

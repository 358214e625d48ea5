"""The API makes, varies, lists, changes, renders and deletes kicks, and each visitor has their own."""

import io

import numpy as np
import pytest
import soundfile


def samples(answer):
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "audio/wav"
    return soundfile.read(io.BytesIO(answer.content), dtype="float32")


def test_a_kick_of_a_seed_is_the_same_however_many_are_asked_for(visitor):
    (alone,) = visitor.make(keywords=["deep"], seed=5)
    three = visitor.make(keywords=["deep"], seed=5, n=3)
    assert three[0]["peaks"] == alone["peaks"]
    assert three[1]["peaks"] != alone["peaks"]
    first, _ = samples(visitor.get(f"/api/kicks/{alone['id']}/audio.wav"))
    again, _ = samples(visitor.get(f"/api/kicks/{three[0]['id']}/audio.wav"))
    assert np.array_equal(first, again)


def test_the_audio_is_what_the_generator_renders(visitor):
    from neurdsp.kick.web.engine import generator

    (made,) = visitor.make(keywords=["deep"], seed=11, tune=3.0, decay=0.5, seconds=0.5)
    heard, rate = samples(visitor.get(f"/api/kicks/{made['id']}/audio.wav?bits=32&rate=48000"))
    (kick,) = generator().generate_kicks(["deep"], n=1, seed=11)
    expected = kick.render(48_000, 24_000, tune=3.0, decay=0.5)
    assert rate == 48_000
    assert np.array_equal(heard, expected)
    assert heard[-1] == 0


@pytest.mark.parametrize(("bits", "subtype", "tolerance"), [(16, "PCM_16", 2**-15), (24, "PCM_24", 2**-23)])
def test_formats_differ_by_their_rounding_only(visitor, bits, subtype, tolerance):
    (made,) = visitor.make(seconds=0.2)
    url = f"/api/kicks/{made['id']}/audio.wav"
    exact, _ = samples(visitor.get(f"{url}?bits=32"))
    answer = visitor.get(f"{url}?bits={bits}&download=1")
    heard, _ = samples(answer)
    assert np.abs(heard - exact).max() <= tolerance
    assert soundfile.info(io.BytesIO(answer.content)).subtype == subtype
    assert answer["Content-Disposition"] == 'attachment; filename="kick_any_7_00.wav"'


def test_audio_that_a_browser_has_is_not_rendered_again(visitor):
    (made,) = visitor.make(seconds=0.2)
    url = f"/api/kicks/{made['id']}/audio.wav"
    tag = visitor.get(url)["ETag"]
    again = visitor.get(url, HTTP_IF_NONE_MATCH=tag)
    assert (again.status_code, again.content) == (304, b"")
    visitor.send("PATCH", f"/api/kicks/{made['id']}", {"tune": 1})
    assert visitor.get(url, HTTP_IF_NONE_MATCH=tag).status_code == 200


def test_variations_name_their_distance_and_are_kicks_of_their_own(visitor):
    (made,) = visitor.make(keywords=["punchy"], seconds=0.3)
    answer = visitor.send("POST", f"/api/kicks/{made['id']}/variations", {"n": 3, "amount": 0.4, "seed": 1})
    varied = answer.json()["kicks"]
    assert [kick["amount"] for kick in varied] == [0.4] * 3
    assert all(kick["keywords"] == ["punchy"] and kick["seconds"] == 0.3 for kick in varied)
    assert len({tuple(kick["peaks"]) for kick in [made, *varied]}) == 4
    assert varied[0]["file"] == "kick_punchy_1_00_v.wav"


def test_the_list_is_paged_from_the_newest_and_misses_none(visitor):
    made = visitor.make(n=5, seconds=0.05) + visitor.make(n=5, seed=8, seconds=0.05)
    newest_first = [kick["id"] for kick in made[5:] + made[:5]]
    found, before = [], None
    for size in (4, 4, 2):
        query = "/api/kicks?limit=4" + (f"&before={before}" if before else "")
        page = visitor.get(query).json()
        assert len(page["kicks"]) == size
        found += [kick["id"] for kick in page["kicks"]]
        before = page["before"]
    assert found == newest_first
    assert before is None


def test_favourites_are_kept_when_the_rest_goes(visitor):
    made = visitor.make(n=3, seconds=0.05)
    path = f"/api/kicks/{made[1]['id']}"
    assert visitor.send("PATCH", path, {"favourite": True}).json()["favourite"] is True
    assert [kick["id"] for kick in visitor.get("/api/kicks?favourites=1").json()["kicks"]] == [made[1]["id"]]
    assert visitor.send("DELETE", "/api/kicks").json() == {"deleted": 2}
    assert [kick["id"] for kick in visitor.get("/api/kicks").json()["kicks"]] == [made[1]["id"]]
    assert visitor.send("DELETE", path).status_code == 204
    assert visitor.get(path).status_code == 404


def test_an_edit_changes_the_waveform_and_stays(visitor):
    (made,) = visitor.make(seconds=0.5)
    path = f"/api/kicks/{made['id']}"
    changed = visitor.send("PATCH", path, {"decay": 0.3, "seconds": 0.25}).json()
    assert changed["peaks"] != made["peaks"]
    assert visitor.get(path).json() == changed
    heard, rate = samples(visitor.get(f"{path}/audio.wav"))
    assert len(heard) == rate // 4


def test_nobody_sees_or_changes_the_kicks_of_another(visitor, new_visitor):
    (made,) = visitor.make(seconds=0.05)
    other, path = new_visitor(), f"/api/kicks/{made['id']}"
    other.make(seed=1, seconds=0.05)
    for answer in (
        other.get(path),
        other.get(f"{path}/audio.wav"),
        other.get(f"/api/kicks?before={made['id']}"),
        other.send("PATCH", path, {"favourite": True}),
        other.send("POST", f"{path}/variations"),
        other.send("DELETE", path),
    ):
        assert answer.status_code == 404
    assert visitor.get(path).json()["favourite"] is False
    assert new_visitor().get("/api/kicks").json()["kicks"] == []


def test_the_vocabulary_says_what_words_mean(visitor):
    facts = visitor.get("/api/vocabulary").json()
    assert "deep" in facts["keywords"]
    assert all(len(meaning) > 5 for meaning in facts["keywords"].values())
    assert facts["limits"]["n"] == 32


def test_the_migrations_match_the_models_and_the_project_has_no_faults(project):
    from django.core.management import call_command

    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
    call_command("check", fail_level="WARNING")

"""Whatever is sent, the answer is one clear line: hostile input, forgeries, more than is allowed."""

import json
import threading

import pytest

ID = "00000000-0000-4000-8000-000000000000"


def error(answer, status):
    assert answer.status_code == status, answer.content[:300]
    message = answer.json()["error"]
    assert "\n" not in message
    assert len(message) < 300
    return message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"n": 10**9}, "n is 1000000000, but this service allows at most 32"),
        ({"n": 10**400}, "n is too large, but this service allows at most 32"),
        ({"n": 0}, "'n' = 0: input should be greater than or equal to 1"),
        ({"n": -1}, "greater than or equal to 1"),
        ({"n": 1.5}, "should be a valid integer"),
        ({"n": True}, "should be a valid integer"),
        ({"n": "8"}, "should be a valid integer"),
        ('{"n": ' + "9" * 5000 + "}", "not valid JSON"),
        ('{"guidance": NaN}', "NaN, which is no number"),
        ('{"tune": -Infinity}', "-Infinity, which is no number"),
        ('{"tune": 1e999}', "should be a finite number"),
        ({"tune": 25}, "less than or equal to 24"),
        ({"seconds": 9}, "seconds is 9, but this service allows at most 5"),
        ({"seed": 2**53}, "less than or equal to 9007199254740991"),
        ({"keywords": ["dep"]}, "there is no keyword 'dep'; did you mean 'deep'?"),
        ({"keywords": "deep"}, "should be a valid list"),
        ({"keywords": ["deep"] * 33}, "at most 32 items"),
        ({"keywords": ["x" * 65]}, "at most 64 characters"),
        ({"keywords": ["\ud800\x00"]}, "should be a valid string"),
        ({"attributes": {"../../etc": 0.5}}, "there is no attribute '../../etc'"),
        ({"attributes": {"pitch": 2}}, "less than or equal to 1"),
        ({"keyword": ["deep"]}, "unknown key 'keyword'; did you mean 'keywords'?"),
        ({"owner": "visitor:1"}, "unknown key 'owner'"),
        ("[" * 60_000, "not valid JSON"),
        ('{"n": 1, "n"', "not valid JSON"),
        ("[]", "must be a JSON object"),
        (b"\xff\xfe\x00", "not valid JSON"),
    ],
)
def test_a_wrong_wish_is_one_line(visitor, body, message):
    assert message in error(visitor.send("POST", "/api/kicks", body), 400)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("rate=1", "greater than or equal to 8000"),
        ("rate=1e9", "should be a valid integer"),
        ("bits=8", "'16', '24' or '32'"),
        ("tune=nan", "should be a finite number"),
        ("seconds=1e300", "less than or equal to 10"),
        ("seconds=8", "allows at most 5"),
        ("file=/etc/passwd", "unknown key 'file'"),
    ],
)
def test_a_wrong_query_is_one_line(visitor, query, message):
    (made,) = visitor.make(seconds=0.05)
    assert message in error(visitor.get(f"/api/kicks/{made['id']}/audio.wav?{query}"), 400)


@pytest.mark.parametrize(
    "path",
    [
        "/api/kicks/1",
        "/api/kicks/../../etc/passwd",
        "/api/kicks/%2e%2e%2fsecret",
        f"/api/kicks/{ID}",
        f"/api/kicks/{ID}/audio.wav",
        f"/api/kicks/{ID}/../../secret",
        f"/api/kicks/{ID}%00/audio.wav",
        "/api/kicks?before=" + "x" * 36,
        f"/api/kicks?before={ID}",
    ],
)
def test_paths_lead_to_own_kicks_or_nowhere(visitor, path):
    visitor.make(seconds=0.05)
    answer = visitor.get(path)
    assert answer.status_code in (400, 404)
    error(answer, answer.status_code)


def test_files_of_the_page_are_served_and_no_others(project):
    from django.test import RequestFactory
    from neurdsp.kick.web.server import application

    serve = application()

    def get(path):
        return serve.get_response(RequestFactory().get(path))

    assert b"import" in b"".join(get("/static/neurdsp_kick/page.js").streaming_content)
    for path in ("secret", "../secret", "..%2f..%2fmodels.py", "neurdsp_kick/../../models.py", "/etc/passwd"):
        assert get(f"/static/{path}").status_code == 404


def test_a_large_body_is_not_read(visitor, configure):
    configure(MAX_BODY_BYTES=1000)
    assert "1,000 bytes" in error(visitor.send("POST", "/api/kicks", b" " * 1001), 413)
    assert "1,000 bytes" in error(
        visitor.send("POST", "/api/kicks", b"{}", CONTENT_LENGTH="99999999999"), 413
    )


def test_other_methods_are_refused(visitor):
    answer = visitor.send("PUT", "/api/kicks")
    assert "GET or POST or DELETE" in error(answer, 405)
    assert answer["Allow"] == "GET, POST, DELETE"


def test_a_form_of_another_site_is_refused(new_visitor):
    visitor = new_visitor(enforce_csrf_checks=True)
    page = visitor.get("/")
    assert page.status_code == 200
    token = page.context["csrf_token"]
    assert "token" in error(visitor.send("POST", "/api/kicks", {"n": 1}), 403)
    made = visitor.send("POST", "/api/kicks", {"n": 1, "seconds": 0.05}, HTTP_X_CSRFTOKEN=str(token))
    path = f"/api/kicks/{made.json()['kicks'][0]['id']}"
    for method, target in (
        ("DELETE", path),
        ("PATCH", path),
        ("DELETE", "/api/kicks"),
        ("POST", f"{path}/variations"),
    ):
        error(visitor.send(method, target, {}), 403)
    assert visitor.get(path).status_code == 200


def test_the_page_lets_nothing_in_from_elsewhere(visitor):
    page = visitor.get("/")
    assert "script-src 'self'" in page["Content-Security-Policy"]
    assert page["X-Frame-Options"] == "DENY"
    text = page.content.decode()
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "https://" not in text
    facts = json.loads(text.split('type="application/json">')[1].split("</script>")[0])
    assert facts["keywords"]["deep"]


def test_another_host_name_is_refused(visitor, project):
    project.ALLOWED_HOSTS = ["testserver"]
    error(visitor.get("/", HTTP_HOST="evil.example"), 400)


def test_an_address_has_so_many_kicks_in_a_minute(visitor, new_visitor, configure):
    configure(KICKS_PER_MINUTE=5)
    address = {"REMOTE_ADDR": "10.1.2.3"}
    wish = {"n": 3, "seconds": 0.05}
    assert visitor.send("POST", "/api/kicks", wish, **address).status_code == 201
    answer = visitor.send("POST", "/api/kicks", wish, **address)
    assert "too many kicks" in error(answer, 429)
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert new_visitor().send("POST", "/api/kicks", wish, **address).status_code == 429
    assert visitor.send("POST", "/api/kicks", wish, REMOTE_ADDR="10.1.2.4").status_code == 201
    assert len(visitor.get("/api/kicks").json()["kicks"]) == 6


def test_a_busy_service_says_when_to_come_back(visitor, configure):
    from neurdsp.kick.web import engine

    configure(CONCURRENCY=1, WAIT_S=0.05)
    inside, leave = threading.Event(), threading.Event()

    def hold():
        with engine.slot():
            inside.set()
            leave.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait(10)
    answer = visitor.send("POST", "/api/kicks", {"n": 1})
    leave.set()
    holder.join()
    assert "busy" in error(answer, 503)
    assert answer["Retry-After"] == "2"
    assert visitor.send("POST", "/api/kicks", {"n": 1, "seconds": 0.05}).status_code == 201


def test_a_locked_database_is_a_busy_service(visitor, monkeypatch):
    from django.db import OperationalError
    from neurdsp.kick.web import shelf

    def locked(_):
        raise OperationalError("database is locked")

    monkeypatch.setattr(shelf, "keep", locked)
    answer = visitor.send("POST", "/api/kicks", {"n": 1, "seconds": 0.05})
    assert "database is busy" in error(answer, 503)
    assert answer["Retry-After"] == "2"


def test_the_oldest_go_first_and_favourites_stay(visitor, configure):
    configure(KEPT_PER_OWNER=4, FAVOURITES_PER_OWNER=1)
    first = visitor.make(n=3, seconds=0.05)
    visitor.send("PATCH", f"/api/kicks/{first[2]['id']}", {"favourite": True})
    refused = visitor.send("PATCH", f"/api/kicks/{first[0]['id']}", {"favourite": True})
    assert "as many as are kept" in error(refused, 409)
    second = visitor.make(n=3, seed=8, seconds=0.05)
    left = [kick["id"] for kick in visitor.get("/api/kicks").json()["kicks"]]
    assert left == [*(kick["id"] for kick in second), first[0]["id"], first[2]["id"]]


def test_a_misspelt_setting_of_the_app_is_named(configure):
    from neurdsp.errors import ConfigError
    from neurdsp.kick.web.conf import setting

    configure(MAX_SECOND=3)
    with pytest.raises(ConfigError, match="did you mean 'MAX_SECONDS'"):
        setting("MODEL")

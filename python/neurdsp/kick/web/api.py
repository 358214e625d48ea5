"""The JSON API: generate, vary, list, change, delete, and the audio of a kick."""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.urls import reverse

from neurdsp.errors import ParameterError
from neurdsp.kick.web import engine, jobs, shelf
from neurdsp.kick.web.answers import FullError, endpoint
from neurdsp.kick.web.conf import setting
from neurdsp.kick.web.models import Job, SavedKick
from neurdsp.kick.web.rows import Edits, check_edits, rendered, rows_of, unpack
from neurdsp.kick.web.schemas import (
    AudioQuery,
    ChangeRequest,
    GenerateRequest,
    ListQuery,
    VaryRequest,
    check_words,
    parse_body,
    parse_query,
)
from neurdsp.kick.web.throttle import spend

__all__ = ["audio", "health", "job", "kick", "kicks", "queue", "variations", "vocabulary"]

_DRAWN_SEEDS = 2**31


def _one(request: HttpRequest, public_id: UUID) -> SavedKick:
    found: SavedKick | None = shelf.kicks_of(request).filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return found


def _stored(rows: Sequence[SavedKick]) -> JsonResponse:
    shelf.keep(rows)
    return JsonResponse({"seed": rows[0].seed, "kicks": [shelf.as_json(row) for row in rows]}, status=201)


def _seed(asked: int | None) -> int:
    return secrets.randbelow(_DRAWN_SEEDS) if asked is None else asked


def _generate(request: HttpRequest) -> HttpResponse:
    """Make kicks at once, or take the call for them."""
    asked = parse_body(request, GenerateRequest)
    generator = engine.generator()
    check_words(asked, generator.keywords, generator.attributes)
    if not engine.is_editable():
        check_edits(asked)
    spend(request, asked.n)
    seed, owner = _seed(asked.seed), shelf.owner_of(request, begin=True)
    if not engine.is_editable():
        job = jobs.enqueue(owner, asked.model_dump(mode="json"), seed=seed)
        answer = _told(job, status=202)
        answer["Location"] = reverse("neurdsp_kick:job", args=[job.public_id])
        return answer
    edits = Edits(asked.tune, asked.decay, asked.seconds)
    with engine.slot():
        made = generator.generate_kicks(
            asked.keywords,
            negative=asked.negative,
            n=asked.n,
            seed=seed,
            guidance=asked.guidance,
            attributes=asked.attributes,
        )
        rows = rows_of(made, edits, owner=owner, seed=seed)
    return _stored(rows)


def _vary(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Make variations of a kick."""
    asked = parse_body(request, VaryRequest)
    saved = _one(request, public_id)
    if not (saved.editable and engine.is_editable()):
        raise ParameterError("only kicks that are codes, of a generator that makes such, can be varied")
    spend(request, asked.n)
    seed = _seed(asked.seed)
    with engine.slot():
        made = engine.generator().vary(unpack(saved), asked.amount, n=asked.n, seed=seed)
        edits = Edits(saved.tune, saved.decay, saved.seconds)
        rows = rows_of(made, edits, owner=saved.owner, seed=seed, parent=saved, amount=asked.amount)
    return _stored(rows)


def _list(request: HttpRequest) -> HttpResponse:
    """List, make or delete the kicks of a visitor."""
    asked = parse_query(request, ListQuery)
    found = shelf.kicks_of(request).defer("packed")
    if asked.favourites == "1":
        found = found.filter(favourite=True)
    if asked.before is not None:
        try:
            found = found.filter(id__lt=_one(request, UUID(asked.before)).id)
        except ValueError:
            raise Http404 from None
    rows = list(found[: asked.limit + 1])
    more = len(rows) > asked.limit
    rows = rows[: asked.limit]
    answer = {
        "kicks": [shelf.as_json(row) for row in rows],
        "before": str(rows[-1].public_id) if more else None,
    }
    return JsonResponse(answer)


def _clear(request: HttpRequest) -> HttpResponse:
    """Delete all kicks that are no favourites."""
    spend(request, 1)
    deleted, _ = shelf.kicks_of(request).filter(favourite=False).delete()
    return JsonResponse({"deleted": deleted})


def _show(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show, change or delete a kick."""
    return JsonResponse(shelf.as_json(_one(request, public_id)))


def _change(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Change a kick."""
    asked = parse_body(request, ChangeRequest)
    spend(request, 1)
    with engine.slot(), transaction.atomic():
        saved = _one(request, public_id)
        changed: dict[str, Any] = {}
        if asked.favourite is not None:
            if asked.favourite and not saved.favourite:
                _check_favourites(request)
            changed["favourite"] = asked.favourite
        edits = Edits.of(saved, asked)
        if vars(edits) != vars(Edits.of(saved, ChangeRequest())):
            audio = rendered(unpack(saved), edits, engine.DRAWN_RATE_HZ)
            changed |= {**vars(edits), "peaks": engine.peaks_of(audio)}
        for name, value in changed.items():
            setattr(saved, name, value)
        if changed:
            saved.save(update_fields=list(changed))
    return JsonResponse(shelf.as_json(saved))


def _check_favourites(request: HttpRequest) -> None:
    limit = setting("FAVOURITES_PER_OWNER")
    if shelf.kicks_of(request).filter(favourite=True).count() >= limit:
        raise FullError(f"there are {limit} favourites, as many as are kept; let go of one first")


def _delete(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Delete a kick."""
    spend(request, 1)
    _one(request, public_id).delete()
    return HttpResponse(status=204)


def _audio(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Render a kick as a WAV file."""
    asked = parse_query(request, AudioQuery)
    saved = _one(request, public_id)
    edits = Edits.of(saved, asked)
    text = f"{saved.public_id} {asked.bits} {asked.rate} {edits}"
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    if request.headers.get("If-None-Match") == tag:
        return HttpResponseNotModified(headers={"ETag": tag})
    spend(request, 1)
    with engine.slot():
        data = engine.file_bytes(rendered(unpack(saved), edits, asked.rate), asked.rate, int(asked.bits))
    kind = "attachment" if asked.download == "1" else "inline"
    return HttpResponse(
        data,
        content_type="audio/wav",
        headers={
            "Content-Disposition": f'{kind}; filename="{shelf.file_name(saved)}"',
            "Cache-Control": "private, no-cache",
            "ETag": tag,
            "X-Content-Type-Options": "nosniff",
        },
    )


def _jobs(request: HttpRequest) -> HttpResponse:
    """List the calls of a visitor that are not finished, the oldest first."""
    found = Job.objects.filter(owner=shelf.owner_of(request) or "nobody")
    waiting = found.filter(state__in=(Job.State.QUEUED, Job.State.RUNNING))
    return JsonResponse({"jobs": [jobs.as_json(job) for job in waiting]})


def _job(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Tell how far a call is, or cancel it."""
    job = Job.objects.filter(owner=shelf.owner_of(request) or "nobody", public_id=public_id).first()
    if job is None:
        raise Http404
    if request.method == "DELETE":
        jobs.cancel(job)
    elif engine.is_editable():
        jobs.give_up(job)
    else:
        jobs.start()  # whoever waits sees to it that somebody works
    return _told(job)


def _told(job: Job, status: int = 200) -> JsonResponse:
    """Return a call as JSON, with when to ask again."""
    answer = JsonResponse({"job": jobs.as_json(job)}, status=status)
    if job.state in (Job.State.QUEUED, Job.State.RUNNING):
        answer["Retry-After"] = "1"
    answer["Cache-Control"] = "no-store"
    return answer


def _vocabulary(request: HttpRequest) -> HttpResponse:
    """Tell the words and the sliders, with what they mean."""
    return JsonResponse(facts())


def facts() -> dict[str, Any]:
    """Return what a client may ask for: words and sliders with what they mean, and the limits."""
    made = engine.generator()
    return {
        "keywords": dict(made.keywords),
        "attributes": dict(made.attributes),
        "editable": engine.is_editable(),
        "limits": {
            "n": setting("MAX_KICKS_PER_REQUEST"),
            "seconds": setting("MAX_SECONDS"),
            "kicks_per_minute": setting("KICKS_PER_MINUTE"),
        },
    }


def _health(request: HttpRequest) -> HttpResponse:
    """Tell whether the database and the generator work."""
    SavedKick.objects.order_by().values_list("id")[:1].exists()
    engine.generator()
    return JsonResponse({"status": "ok"})


kicks = endpoint(get=_list, post=_generate, delete=_clear)
kick = endpoint(get=_show, patch=_change, delete=_delete)
variations = endpoint(post=_vary)
queue = endpoint(get=_jobs)
job = endpoint(get=_job, delete=_job)
audio = endpoint(get=_audio)
vocabulary = endpoint(get=_vocabulary)
health = endpoint(get=_health)

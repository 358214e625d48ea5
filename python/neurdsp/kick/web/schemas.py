"""What requests may ask for, as typed configurations, so that a mistake is one clear line."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from pydantic import ConfigDict, Field

from neurdsp.config import Config, build, did_you_mean
from neurdsp.errors import ParameterError
from neurdsp.kick.web.conf import setting

__all__ = [
    "AudioQuery",
    "ChangeRequest",
    "GenerateRequest",
    "ListQuery",
    "TooLargeError",
    "VaryRequest",
    "check_words",
    "parse_body",
    "parse_query",
]

RequestT = TypeVar("RequestT", bound=Config)

MAX_SEED = 2**53 - 1  # the largest whole number that JavaScript tells from its neighbours
Word = Annotated[str, Field(max_length=64)]
Words = Annotated[list[Word], Field(max_length=32)]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
Tune = Annotated[float, Field(ge=-24, le=24)]
Decay = Annotated[float, Field(ge=0.1, le=10)]
Seconds = Annotated[float, Field(ge=0.02, le=10)]


class TooLargeError(Exception):
    """The body of a request is larger than the service reads."""


class _Strict(Config):
    """JSON has types of its own: a text is no number, and true is not 1."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


class GenerateRequest(_Strict):
    """Kicks to make."""

    keywords: Words = Field(default_factory=list)
    negative: Words = Field(default_factory=list)
    attributes: dict[Word, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict, max_length=32)
    n: Annotated[int, Field(ge=1)] = 8
    seed: Seed | None = None
    guidance: Annotated[float, Field(ge=1, le=8)] = 2.0
    tune: Tune = 0.0
    decay: Decay = 1.0
    seconds: Seconds = 2.0


class VaryRequest(_Strict):
    """Variations to make of a kick."""

    amount: Annotated[float, Field(ge=0, le=1)] = 0.3
    n: Annotated[int, Field(ge=1)] = 8
    seed: Seed | None = None


class ChangeRequest(_Strict):
    """What is to change about a kick."""

    favourite: bool | None = None
    tune: Tune | None = None
    decay: Decay | None = None
    seconds: Seconds | None = None


class AudioQuery(Config):
    """How a kick is rendered; what is not given is as it was saved."""

    bits: Literal["16", "24", "32"] = "24"
    rate: Annotated[int, Field(ge=8_000, le=192_000)] = 44_100
    tune: Tune | None = None
    decay: Decay | None = None
    seconds: Seconds | None = None
    download: Literal["0", "1"] = "0"


class ListQuery(Config):
    """Which kicks are listed: a page of them, older than one."""

    favourites: Literal["0", "1"] = "0"
    before: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 48


def _refuse_constant(name: str) -> float:
    raise ParameterError(f"the body holds {name}, which is no number in JSON; give a finite number")


def parse_body(request: HttpRequest, kind: type[RequestT]) -> RequestT:
    """Read the JSON body of a request.

    Raises
    ------
    ParameterError
        If it is not valid.
    ConfigError
        If it is no such request.
    TooLargeError
        If it is too long.
    """
    limit = setting("MAX_BODY_BYTES")
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > limit:
            raise TooLargeError
        raw = request.body
    except (RequestDataTooBig, ValueError):
        raise TooLargeError from None
    if len(raw) > limit:
        raise TooLargeError
    kind_of_body = request.content_type or ""
    if kind_of_body not in ("application/json", "") and raw:
        raise ParameterError(
            f"the body is {kind_of_body[:60]!r}, but must be JSON; send Content-Type: application/json"
        )
    try:
        tree = json.loads(raw or b"{}", parse_constant=_refuse_constant)
    except ParameterError:
        raise
    except (ValueError, RecursionError):  # a wrong encoding, too long a number, and too deep a nesting too
        raise ParameterError('the body is not valid JSON; send an object such as {"n": 8}') from None
    if not isinstance(tree, dict):
        raise ParameterError('the body must be a JSON object, such as {"n": 8}')
    made = build(kind, tree, source="request")
    check_limits(made)
    return made


def parse_query(request: HttpRequest, kind: type[RequestT]) -> RequestT:
    """Read the query of a request.

    Raises
    ------
    ConfigError
        If it is no such query.
    """
    made = build(kind, {name: request.GET[name] for name in request.GET}, source="query")
    check_limits(made)
    return made


def check_limits(asked: Config) -> None:
    """Refuse what the engine could do, but this service does not.

    Raises
    ------
    ParameterError
        If too many or too long kicks are asked for.
    """
    values: Mapping[str, Any] = vars(asked)
    for name, limit in (("n", setting("MAX_KICKS_PER_REQUEST")), ("seconds", setting("MAX_SECONDS"))):
        value = values.get(name)
        if value is not None and value > limit:
            shown = "too large" if value > 1e15 else f"{value:g}" if isinstance(value, float) else str(value)
            raise ParameterError(f"{name} is {shown}, but this service allows at most {limit:g}")


def check_words(asked: GenerateRequest, keywords: Mapping[str, str], attributes: Mapping[str, str]) -> None:
    """Refuse words and sliders that the generator does not know.

    Raises
    ------
    ParameterError
        With the nearest one that it knows.
    """
    for words, known, what in (
        ([*asked.keywords, *asked.negative], keywords, "keyword"),
        (list(asked.attributes), attributes, "attribute"),
    ):
        for word in words:
            if word not in known:
                raise ParameterError(f"there is no {what} {word!r}{did_you_mean(word, known)}")

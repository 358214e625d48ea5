"""What becomes of kicks in the table: codes that can be edited, or audio; and how a row is rendered."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurdsp.errors import ModelFileError, ParameterError
from neurdsp.kick.code import CODE_SIZE, KickCode
from neurdsp.kick.kick import Kick
from neurdsp.kick.mel.infer import levelled
from neurdsp.kick.web import engine
from neurdsp.kick.web.models import SavedKick
from neurdsp.kick.web.schemas import AudioQuery, ChangeRequest, GenerateRequest

__all__ = ["AudioKick", "Edits", "check_edits", "pack", "rendered", "rows_of", "unpack"]

_KEY_BYTES = 8


@dataclass(frozen=True, eq=False)
class AudioKick:
    """A kick that was made as audio, not as a code: it can be cut, and nothing else.

    Parameters
    ----------
    audio
        ``(samples,)``.
    sample_rate
        In Hz.
    keywords, negative, guidance, attributes
        What it was made for, as those of `neurdsp.kick.kick.Kick`.
    """

    audio: engine.Floats
    sample_rate: int
    keywords: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    guidance: float = 2.0
    attributes: tuple[tuple[str, float], ...] = ()

    def render(
        self, sample_rate: int, length: int, *, tune: float = 0.0, decay: float = 1.0
    ) -> engine.Floats:
        """Return the kick at a rate, cut or followed by silence.

        Raises
        ------
        ParameterError
            If tune or decay would change it.
        """
        if tune or decay != 1:
            raise ParameterError("this kick is audio, so tune and decay do not move it; leave them out")
        most = len(self.audio) * sample_rate // self.sample_rate
        made = levelled(self.audio, self.sample_rate, sample_rate, min(length, most))
        return np.pad(made, (0, length - len(made)))


@dataclass(frozen=True)
class Edits:
    """How a kick is rendered: semitones, a factor, seconds."""

    tune: float
    decay: float
    seconds: float

    @classmethod
    def of(cls, saved: SavedKick, asked: AudioQuery | ChangeRequest) -> "Edits":
        """Take what is asked for, and of the rest what is saved."""
        return cls(
            *(
                getattr(saved, name) if getattr(asked, name) is None else getattr(asked, name)
                for name in ("tune", "decay", "seconds")
            )
        )


def check_edits(asked: GenerateRequest) -> None:
    """Refuse edits of kicks that will be audio.

    Raises
    ------
    ParameterError
        If tune or decay is asked for.
    """
    if asked.tune or asked.decay != 1:
        raise ParameterError(
            "tune and decay are edits of kick codes, and this generator makes audio; leave them out"
        )


def rendered(kick: Kick | AudioKick, edits: Edits, rate_hz: int) -> engine.Floats:
    """Return a kick with its edits."""
    return kick.render(rate_hz, round(edits.seconds * rate_hz), tune=edits.tune, decay=edits.decay)


def rows_of(
    made: Sequence[Kick | AudioKick],
    edits: Edits,
    *,
    owner: str,
    seed: int,
    parent: SavedKick | None = None,
    amount: float | None = None,
) -> list[SavedKick]:
    """Return rows of new kicks, not yet stored."""
    return [
        SavedKick(
            owner=owner,
            parent=parent,
            keywords=list(kick.keywords),
            negative=list(kick.negative),
            attributes=dict(kick.attributes),
            guidance=kick.guidance,
            seed=seed,
            number=number,
            amount=amount,
            editable=isinstance(kick, Kick),
            packed=pack(kick),
            peaks=engine.peaks_of(rendered(kick, edits, engine.DRAWN_RATE_HZ)),
            **vars(edits),
        )
        for number, kick in enumerate(made)
    ]


def pack(kick: Kick | AudioKick) -> bytes:
    """Return what makes up a kick as bytes.

    Of a code: the key of its noise, the code, and what it was generated from. Of audio: FLAC in 24 bits.

    Examples
    --------
    >>> len(pack(Kick(KickCode.silent(), key=1)))
    7228
    """
    if isinstance(kick, AudioKick):
        return engine.file_bytes(kick.audio, kick.sample_rate, 24, "FLAC")
    parts = [np.uint64(kick.key).astype("<u8").tobytes(), kick.code.flat().astype("<f4").tobytes()]
    if kick.noise is not None:
        parts.append(np.asarray(kick.noise).astype("<f4").tobytes())
    return b"".join(parts)


def unpack(saved: SavedKick) -> Kick | AudioKick:
    """Return the kick of a row.

    Raises
    ------
    ModelFileError
        If the row does not hold a kick of this version.
    """
    data = bytes(saved.packed)
    wishes = {
        "keywords": tuple(saved.keywords),
        "negative": tuple(saved.negative),
        "guidance": saved.guidance,
        "attributes": tuple(sorted(saved.attributes.items())),
    }
    broken = ModelFileError(f"kick {saved.public_id} has {len(data)} bytes, which is no kick; delete it")
    if not saved.editable:
        import soundfile

        try:
            audio, rate_hz = soundfile.read(io.BytesIO(data), dtype="float32")
        except (soundfile.LibsndfileError, RuntimeError):
            raise broken from None
        return AudioKick(audio, rate_hz, **wishes)
    size = _KEY_BYTES + 4 * CODE_SIZE
    if len(data) < size or (len(data) - size) % 4:
        raise broken
    noise = np.frombuffer(data, "<f4", offset=size).astype(np.float32)
    return Kick(
        KickCode.from_flat(np.frombuffer(data, "<f4", CODE_SIZE, _KEY_BYTES)),
        int.from_bytes(data[:_KEY_BYTES], "little"),
        noise=noise if noise.size else None,
        **wishes,
    )

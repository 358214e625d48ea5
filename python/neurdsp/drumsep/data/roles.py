"""What the pieces of a drum kit are called, which stem each has, and what stands in for a missing one."""

import re

__all__ = ["LONGEST_S", "NOTES", "PERCUSSION", "ROLES", "STEMS", "STEM_OF", "role_of_name", "stand_ins"]

STEMS = ("kick", "snare", "toms", "hihat", "cymbals")
"""The stems, in the order of the networks."""

PERCUSSION = "percussion"
"""The role of what is in no stem: claps, cowbells, congas."""

STEM_OF = {
    "kick": 0,
    "snare": 1,
    "stick": 1,
    "tom_high": 2,
    "tom_mid": 2,
    "tom_low": 2,
    "hihat_closed": 3,
    "hihat_pedal": 3,
    "hihat_open": 3,
    "crash": 4,
    "ride": 4,
    "bell": 4,
    PERCUSSION: 5,
}
"""Number of the stem of each role; that behind the last one is the residual."""

ROLES = tuple(STEM_OF)

LONGEST_S = {
    "kick": 1.5,
    "snare": 1.5,
    "stick": 0.6,
    "tom_high": 2.0,
    "tom_mid": 2.0,
    "tom_low": 2.0,
    "hihat_closed": 0.8,
    "hihat_pedal": 0.8,
    "hihat_open": 3.0,
    "crash": 5.0,
    "ride": 4.0,
    "bell": 4.0,
    PERCUSSION: 1.5,
}
"""Seconds of a recording that are kept."""

NOTES = {
    35: "kick",
    36: "kick",
    37: "stick",
    38: "snare",
    40: "snare",
    39: PERCUSSION,
    41: "tom_low",
    43: "tom_low",
    58: "tom_low",
    45: "tom_mid",
    47: "tom_mid",
    48: "tom_high",
    50: "tom_high",
    42: "hihat_closed",
    22: "hihat_closed",
    44: "hihat_pedal",
    46: "hihat_open",
    26: "hihat_open",
    49: "crash",
    52: "crash",
    55: "crash",
    57: "crash",
    51: "ride",
    59: "ride",
    53: "bell",
    54: PERCUSSION,
    56: PERCUSSION,
    **dict.fromkeys(range(60, 82), PERCUSSION),
}
"""Roles of General MIDI's drum notes, with those of the Roland TD-11, which Groove MIDI was played on."""

_STAND_INS = {
    "stick": ("snare",),
    "hihat_pedal": ("hihat_closed", "hihat_open"),
    "hihat_open": ("hihat_closed",),
    "hihat_closed": ("hihat_pedal", "hihat_open"),
    "crash": ("ride",),
    "ride": ("crash", "bell"),
    "bell": ("ride", "crash"),
    "tom_high": ("tom_mid", "tom_low"),
    "tom_mid": ("tom_high", "tom_low"),
    "tom_low": ("tom_mid", "tom_high"),
}

_UNUSABLE = r"zap|\bfx\b|whistle|^click$|(?<!bass )drum \d|choke|roll|metronome|scratch"
_NAMES = (
    (
        PERCUSSION,
        r"cowbell|clap|tamb|agogo|shaker|clave|conga|bongo|maraca|snaps|block|cajon|glass|djembe|timbale|guiro|"
        r"triangle|tabla|cabasa|vibra|cuica|castanet|sangban|dununba|kenkeni",
    ),
    ("kick", r"kick|bass ?drum|^bd"),
    ("stick", r"stick|rim ?click|^rim$"),
    ("snare", r"snare|^sn|opaco"),
    ("tom_mid", r"(?<!cus)(?<!bot)tom|floorto"),
    ("hihat_pedal", r"(hat|hh|hi-hat).*(pedal|foot|\bpd\b)|pedal (hat|hh)|hatpe"),
    ("hihat_open", r"(hat|hh).*(open|\bop\b|semi|swis|free)|open h|ohh|\bop h|hatse"),
    ("hihat_closed", r"hat|hh"),
    ("bell", r"bell|cup|ridebe"),
    ("crash", r"crash|cras$|splash|china|cymbal"),
    ("ride", r"ride"),
)


def role_of_name(name: str) -> str | None:
    """Return the role of an instrument or a recording by its name; None if it is unknown or unusable.

    Toms have the role ``tom_mid`` until their pitches are compared.

    Examples
    --------
    >>> role_of_name("Hi-Hat Semiopen"), role_of_name("Floor Tom"), role_of_name("FX")
    ('hihat_open', 'tom_mid', None)
    """
    lower = name.lower()
    if re.search(_UNUSABLE, lower):
        return None
    for role, pattern in _NAMES:
        if re.search(pattern, lower):
            return role
    return None


def stand_ins(role: str) -> tuple[str, ...]:
    """Return which roles may play what a kit has no recording for, the nearest first; all of the same stem.

    Examples
    --------
    >>> stand_ins("bell")
    ('ride', 'crash')
    """
    return _STAND_INS.get(role, ())

"""How mixtures are rendered from a bank: levels, probabilities, ranges. Reading it needs no torch."""

from typing import Annotated

from pydantic import Field

from neurdsp.config import Config

__all__ = ["RenderConfig", "TimbreConfig"]

Chance = Annotated[float, Field(ge=0, le=1)]
Six = tuple[float, float, float, float, float, float]
Decibel = Annotated[float, Field(ge=-80, le=40)]


class TimbreConfig(Config):
    """How pieces of a kit are changed, each for the length of a mixture.

    Parameters
    ----------
    borrow
        Chance that a piece comes from a kit of its own.
    layer
        Chance that a piece is two recordings of its role at once, the second from any kit.
    change
        Chance that a piece is changed in the ways that follow.
    semitones
        Shift in pitch at most, up and down.
    attack_db, decay_db
        Standard deviations of the gain of a stroke's beginning, and of its end against its beginning.
    equaliser_db
        Standard deviation of the gains of two shelves and three bells.
    saturate, reflections
        Chances of a soft clipper, and of early reflections.
    """

    borrow: Chance = 0.25
    layer: Chance = 0.25
    change: Chance = 0.8
    semitones: Annotated[float, Field(ge=0, le=24)] = 3.0
    attack_db: Annotated[float, Field(ge=0, le=24)] = 4.0
    decay_db: Annotated[float, Field(ge=0, le=80)] = 20.0
    equaliser_db: Annotated[float, Field(ge=0, le=12)] = 4.0
    saturate: Chance = 0.2
    reflections: Chance = 0.4


class RenderConfig(Config):
    """Levels and chances of a renderer.

    Tuples of six are for the stems in the order of `neurdsp.drumsep.data.roles.STEMS`, then the residual.

    Parameters
    ----------
    level_db
        Mean level of the peaks of each stem.
    spread_db
        Standard deviation of these levels between mixtures.
    silent
        Chance that a stem is silent though the performance has it.
    fill
        Chance that a stem that is missing from a window gets a window of its own that has it.
    residual
        Chance that there is something that belongs in no stem: percussion, noise, hum, tones.
    swap_kits
        Chance that each stem is played by a kit of its own.
    two_performances
        Chance that some stems come from a second performance.
    pitch
        Chance that a stem is shifted in pitch.
    pitch_semitones
        By how much at most, for each stem.
    saturate, room, second_microphone, compress, mp3
        Chances of these effects. MP3 artefacts are in the mixture only.
    own_room
        Chance that a stem has a room of its own, if there is one.
    timbre
        What changes pieces of a kit.
    narrow
        Chance that a stereo mixture has all pieces in its middle.
    quietest_db
        Lowest peak of a mixture; the highest is 0 dB.
    """

    level_db: Six = (2.0, -2.0, -2.0, -14.0, -15.0, -10.0)
    spread_db: Six = (4.0, 4.0, 5.0, 6.0, 6.0, 8.0)
    silent: Chance = 0.07
    fill: Chance = 0.55
    residual: Chance = 0.25
    swap_kits: Chance = 0.6
    two_performances: Chance = 0.25
    pitch: Chance = 0.75
    pitch_semitones: Six = (5.0, 5.0, 8.0, 5.0, 5.0, 8.0)
    saturate: Chance = 0.3
    room: Chance = 0.6
    own_room: Chance = 0.2
    second_microphone: Chance = 0.2
    compress: Chance = 0.35
    mp3: Chance = 0.06
    narrow: Chance = 0.15
    quietest_db: Annotated[float, Field(ge=-80, le=0)] = -24.0
    timbre: TimbreConfig = TimbreConfig()

    def plain(self) -> "RenderConfig":
        """Return the same levels without effects, for fixed sets to judge with."""
        zeros = dict.fromkeys(
            (
                *("silent", "swap_kits", "two_performances", "pitch", "saturate", "room"),
                *("second_microphone", "compress", "mp3"),
            ),
            0.0,
        )
        return self.model_copy(
            update={
                **zeros,
                "spread_db": (0.0,) * 6,
                "residual": 0.0,
                "quietest_db": -6.0,
                "timbre": TimbreConfig(borrow=0.0, layer=0.0, change=0.0),
            }
        )

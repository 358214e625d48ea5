"""Prepared takes as what the network sees and what the drummer did, in arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurdsp import _core
from neurdsp.errors import ConfigError
from neurdsp.music.dataset import Dataset

__all__ = ["Hits", "View", "bars_of", "hits_of", "view_of"]

OFFSET_SCALE, VELOCITY_SCALE = _core.groove_constants()[1:]
"""What an output of 1 corrects: an offset by so many sixteenths, a velocity by so much."""


@dataclass(frozen=True)
class Hits:
    """What drummers did: columns with an entry for each hit of a split.

    Parameters
    ----------
    take
        Number of the take.
    voice, step
        See the engine's documentation of the groove.
    window
        Number of the window in the take.
    unit
        Twelfths of a quarter note from the start of the take to the step.
    offset, base
        Sixteenths that the hit is later than its step, as played and as a quantised file has it: 0, or
        halfway to the next step for a stroke of a roll.
    velocity
        1 to 127.
    sixteenth_ms
        How long a sixteenth lasts.
    """

    take: NDArray[np.int64]
    voice: NDArray[np.int64]
    step: NDArray[np.int64]
    window: NDArray[np.int64]
    unit: NDArray[np.int64]
    offset: NDArray[np.float32]
    base: NDArray[np.float32]
    velocity: NDArray[np.float32]
    sixteenth_ms: NDArray[np.float32]

    @property
    def late(self) -> NDArray[np.float32]:
        """Sixteenths that each hit is later than in a quantised file."""
        return self.offset - self.base


@dataclass(frozen=True)
class View:
    """What the network is asked, and what the reference says, with or without a reference and accents.

    Parameters
    ----------
    inputs
        ``(n_calls, 64)``.
    call
        The call of each hit.
    offset, velocity
        What the reference says of each hit.
    referred
        Whether there is a reference for the hit.
    """

    inputs: NDArray[np.float32]
    call: NDArray[np.int64]
    offset: NDArray[np.float32]
    velocity: NDArray[np.float32]
    referred: NDArray[np.bool_]

    def predicted(
        self, outputs: NDArray[np.float32], step: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return offset in sixteenths and velocity of each hit, from outputs ``(n_calls, 32)``.

        The offset is that from where a quantised file has the hit: see ``base`` of `Hits`.
        """
        offset = self.offset + OFFSET_SCALE * outputs[self.call, step]
        velocity = self.velocity + VELOCITY_SCALE * outputs[self.call, 16 + step]
        return offset, np.clip(velocity, 1, 127)


def bars_of(dataset: Dataset, split: str) -> list[_core.GrooveBars]:
    """Return the takes of a split on their grids.

    Raises
    ------
    ConfigError
        If the data are damaged.
    """
    arrays = dataset.of(split)
    try:
        takes, notes = arrays["takes"], arrays["notes"]
        return [_bars(notes[first : first + count], *others) for first, count, *others in takes.tolist()]
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise ConfigError(f"the data of groove are damaged ({error}); prepare them again") from None


def _bars(
    notes: NDArray[np.int64], ticks_per_quarter: int, quarter_us: int, numerator: int, denominator: int
) -> _core.GrooveBars:
    return _core.GrooveBars(
        notes[:, 0].astype(np.uint64),
        notes[:, 1].astype(np.uint8),
        notes[:, 2].astype(np.uint8),
        ticks_per_quarter,
        [(0, numerator, denominator)],
        [(0, quarter_us)],
    )


def hits_of(takes: list[_core.GrooveBars]) -> Hits:
    """Return the hits of takes in one table."""
    tables: list[tuple[NDArray[Any], ...]] = [bars.hits() for bars in takes]
    if not tables:
        raise ConfigError("the data of groove have a split without takes; prepare them again")
    columns = [np.concatenate(column) for column in zip(*tables, strict=True)]
    _, voice, velocity, window, step, offset, base, sixteenth_ms, unit = columns
    take = np.repeat(np.arange(len(tables)), [len(table[0]) for table in tables])
    return Hits(
        take=take,
        voice=voice.astype(np.int64),
        step=step.astype(np.int64),
        window=window,
        unit=unit,
        offset=offset,
        base=base,
        velocity=velocity.astype(np.float32),
        sixteenth_ms=sixteenth_ms,
    )


def view_of(takes: list[_core.GrooveBars], *, earlier: bool, accents: bool) -> View:
    """Return what the network is asked about takes.

    Parameters
    ----------
    takes
        Of `bars_of`.
    earlier
        Whether up to eight earlier bars of a take are the reference of each bar.
    accents
        Whether the network may see which hits are accents.
    """
    inputs, calls, offsets, velocities = [], [], [], []
    first = 0
    for bars in takes:
        asked = bars.ask(None, earlier=earlier, accents=accents)
        rows = asked.inputs()
        call, offset, velocity = asked.of_hits()
        inputs.append(rows)
        calls.append(call + first)
        offsets.append(offset)
        velocities.append(velocity)
        first += len(rows)
    table = np.concatenate(inputs)
    call = np.concatenate(calls)
    return View(
        inputs=table,
        call=call,
        offset=np.concatenate(offsets),
        velocity=np.concatenate(velocities),
        referred=table[call, 59] > 0,
    )

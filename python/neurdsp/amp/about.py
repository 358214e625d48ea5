"""What a model file says about its device: who captured which gear, when, and at which levels.

The keys are those of the metadata of ``.nam`` files, which every player reads. Model files hold them as JSON
under ``neurdsp.capture``.
"""

import datetime
import json
import os
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field

from neurdsp.config import Config

__all__ = ["CAPTURE", "AboutConfig", "GearType", "ToneType", "capture_facts", "today"]

CAPTURE = "neurdsp.capture"
"""Key of the facts in the metadata of a model file."""

GearType = Literal["amp", "pedal", "pedal_amp", "amp_cab", "amp_pedal_cab", "preamp", "studio"]
ToneType = Literal["clean", "overdrive", "crunch", "hi_gain", "fuzz"]

_MAX_CHARACTERS = 200


class AboutConfig(Config):
    """What is known of a device and its capture; everything may be left out.

    Parameters
    ----------
    name
        Name of the model for people; by default that of its file.
    modeled_by
        Who made the capture.
    gear_make, gear_model
        Maker and model of the device.
    gear_type, tone_type
        Kinds of device and of sound, in the words of the ``.nam`` format.
    input_level_dbu
        Level of the 1 kHz sine that drove the device while the input file was at 0 dBFS peak, in dBu.
    output_level_dbu
        Level of the 1 kHz sine that was recorded as 0 dBFS peak, in dBu.
    date
        Day of the model; by default today (UTC).

    Examples
    --------
    >>> AboutConfig(gear_make="Acme", gear_model="X", output_level_dbu=12).facts()
    {'gear_make': 'Acme', 'gear_model': 'X', 'output_level_dbu': 12.0}
    """

    # A model called 5150 is a number in YAML.
    model_config = ConfigDict(coerce_numbers_to_str=True)

    name: str | None = Field(default=None, min_length=1, max_length=_MAX_CHARACTERS)
    modeled_by: str | None = Field(default=None, min_length=1, max_length=_MAX_CHARACTERS)
    gear_make: str | None = Field(default=None, min_length=1, max_length=_MAX_CHARACTERS)
    gear_model: str | None = Field(default=None, min_length=1, max_length=_MAX_CHARACTERS)
    gear_type: GearType | None = None
    tone_type: ToneType | None = None
    input_level_dbu: float | None = Field(default=None, ge=-60, le=60)
    output_level_dbu: float | None = Field(default=None, ge=-60, le=60)
    date: datetime.date | None = None

    def facts(self) -> dict[str, Any]:
        """Return what is given by the keys of ``.nam`` metadata, as JSON values."""
        given = self.model_dump(exclude_none=True)
        day = given.pop("date", None)
        when = {} if day is None else {"date": _moment(day)}
        return {**when, **given}


def _moment(day: datetime.date) -> dict[str, int]:
    # Of the time of day only zeros are written, so that runs of one day give the same bytes.
    return {"year": day.year, "month": day.month, "day": day.day, "hour": 0, "minute": 0, "second": 0}


def today() -> datetime.date:
    """Return the day (UTC), or that of ``SOURCE_DATE_EPOCH`` for builds that can be repeated."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = (
        datetime.datetime.fromtimestamp(int(epoch), datetime.UTC)
        if epoch.isdecimal()
        else datetime.datetime.now(datetime.UTC)
    )
    return moment.date()


def capture_facts(
    about: AboutConfig, *, name: str, metrics: Mapping[str, Any], levels: Mapping[str, float]
) -> str:
    """Return everything that a model file says about its capture, as JSON.

    Parameters
    ----------
    about
        What the user gave.
    name
        Name of the model, if ``about`` gives none.
    metrics
        Measured figures; of these the error-to-signal ratio ``esr``.
    levels
        Measured ``loudness`` in dB and ``gain``.
    """
    facts = {"date": _moment(today()), **levels, "name": name, **about.facts()}
    if isinstance(metrics.get("esr"), int | float):
        facts["training"] = {"validation_esr": metrics["esr"]}
    return json.dumps(facts, allow_nan=False)

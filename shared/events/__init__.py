"""Typed events: the only thing that services say to each other."""

from shared.events.alert import AlertFired
from shared.events.base import Event
from shared.events.candle import Candle, CandleClosed
from shared.events.control import ConfigPassed, ConfigRequested, DeadLetter, Watermark
from shared.events.level import Ended, Level, LevelComputed, Zone
from shared.events.ops import Ops
from shared.events.signal import SignalGenerated
from shared.events.spine import CandleIn, Close, Config, Gap, Heartbeat, Source, Tick, Window

__all__ = [
    "AlertFired",
    "Candle",
    "CandleClosed",
    "CandleIn",
    "Close",
    "Config",
    "ConfigPassed",
    "ConfigRequested",
    "DeadLetter",
    "Ended",
    "Event",
    "Gap",
    "Heartbeat",
    "Level",
    "LevelComputed",
    "Ops",
    "SignalGenerated",
    "Source",
    "Tick",
    "Watermark",
    "Window",
    "Zone",
]

"""The instrument table of this installation: the built-in one and the user's file."""

from pathlib import Path

from services.ingest.domain.instrument_file import BadInstrument, with_file
from services.ingest.domain.instruments import InstrumentTable, built_in


def load_table(file: Path | None) -> InstrumentTable:
    """The built-in instruments with what the file, if there is one, adds and changes.

    Raises:
        BadInstrument: the file cannot be read or is wrong.
    """
    table = InstrumentTable(built_in())
    if file is None:
        return table
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no UTF-8 text"
        raise BadInstrument(f"{file}: cannot be read ({reason})") from None
    return with_file(table, text, str(file))

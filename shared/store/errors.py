"""What can go wrong with tables, as one line that names the thing and the mend."""

from collections.abc import Iterator
from contextlib import contextmanager

from asyncpg import PostgresError
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

# What a driver raises where the server, or the file, cannot be used now.
_AWAY = (OSError, TimeoutError, PostgresError, DBAPIError)
# What a statement did wrong: no other server would take it either.
_WRONG = (DataError, IntegrityError, ProgrammingError)


class StoreError(Exception):
    """Tables cannot be used."""


class StoreAway(StoreError):
    """The tables cannot be reached now; later they may be."""


@contextmanager
def connecting(where: str) -> Iterator[None]:
    """Tell whatever goes wrong on the way to a connection as ``StoreAway``."""
    try:
        yield
    except _AWAY as error:
        raise StoreAway(_told(where, error)) from error


@contextmanager
def using(where: str) -> Iterator[None]:
    """Tell a connection that broke, a lock that was not given or a bad file as ``StoreAway``.

    What a statement did wrong (a constraint, a mistake in it) is left as it is. Whoever is inside
    does nothing but use the tables.
    """
    try:
        yield
    except DBAPIError as error:
        if error.connection_invalidated or not isinstance(error, _WRONG):
            raise StoreAway(_told(where, error)) from error
        raise
    except (TimeoutError, OSError) as error:  # the driver's own: no answer, no connection
        raise StoreAway(_told(where, error)) from error


def _told(where: str, error: BaseException) -> str:
    reason = error.orig if isinstance(error, DBAPIError) else error
    text = next(iter(str(reason).splitlines()), "") or type(error).__name__
    return f"the tables at {where} cannot be used ({text})"

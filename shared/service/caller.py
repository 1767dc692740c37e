"""Who asks: one identity for the routes of every service, so that accounts can be put in front."""

from typing import Annotated, Final

from fastapi import Header

USER_ID_MAX: Final = 64
"""Characters of a user's id."""

LOCAL_USER: Final = "local"
"""Who asks where nobody says so: a laptop has one user."""

User = Annotated[
    str,
    Header(
        alias="X-User-Id",
        max_length=USER_ID_MAX,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]*$",
        description="who asks; whoever stands in front of this API sets it",
    ),
]

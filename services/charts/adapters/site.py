"""The page's own files, and its one library out of the installed package."""

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from shared.service.problems import Problem, problem_response

PAGE = Path(__file__).parents[1] / "page"
LIBRARY = Path("node_modules/lightweight-charts/dist/lightweight-charts.standalone.production.mjs")
# Files change with an upgrade and their names do not: ask each time, be told 304.
_REVALIDATE = {"Cache-Control": "no-cache"}


class _Files(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(_REVALIDATE)
        return response


class Site:
    """What a browser loads before it talks to the API. All addresses in the page are relative, so
    that it works under any path that a proxy strips."""

    def __init__(self, page: Path = PAGE) -> None:
        self._page = page
        self._library = page / LIBRARY

    def mount(self, app: FastAPI) -> None:
        """Add the page's routes to an application."""
        app.add_api_route("/", self.index, include_in_schema=False)
        app.add_api_route("/docs", self.docs, include_in_schema=False)
        app.add_api_route("/vendor/lightweight-charts.mjs", self.library, include_in_schema=False)
        app.mount("/assets", _Files(directory=self._page / "assets"))

    async def index(self) -> Response:
        """The page."""
        if not self._library.is_file():
            return self._missing("/")
        return FileResponse(self._page / "index.html", headers=_REVALIDATE)

    async def docs(self) -> Response:
        """The API, described by its own OpenAPI document."""
        return FileResponse(self._page / "docs.html", headers=_REVALIDATE)

    async def library(self) -> Response:
        """Lightweight Charts, as an ES module."""
        if not self._library.is_file():
            return self._missing("/vendor/lightweight-charts.mjs")
        return FileResponse(self._library, headers=_REVALIDATE, media_type="text/javascript")

    def _missing(self, instance: str) -> Response:
        detail = "the page's chart library is not installed; run `make setup`"
        return problem_response(Problem(503, detail), instance)

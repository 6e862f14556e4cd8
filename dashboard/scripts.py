"""Our own scripts, as few and small files: `browser/<name>/*.js` is one each.

`doors` is on every page, those before the log-in too; `player` is what music needs;
`pages` is the rest.
"""

from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from rjsmin import jsmin
from starlette.responses import Response

_FOLDER: Final = Path(__file__).parent / "browser"
NAMES: Final = ("doors", "player", "pages")
"""In the order in which a page takes them."""
_VERSION_CHARS: Final = 12
# what needs all scripts waits for this: Dash's come later, DOMContentLoaded after them
_ALL_ARE_THERE: Final = b';dispatchEvent(new Event("segue:ready"));'


def create_router() -> APIRouter:
    """Return the routes `/scripts/NAME.js`."""
    router = APIRouter()
    for name in NAMES:
        path = f"/scripts/{name}.js"
        router.add_api_route(path, _endpoint(_bundle(name)), methods=["GET", "HEAD"])
    return router


def script_tags(*names: str) -> str:
    """Return the elements that load some of the scripts, each by its version."""
    return "\n".join(
        f'<script src="/scripts/{name}.js?m={_version(_bundle(name))}"></script>'
        for name in names
    )


def _bundle(name: str) -> bytes:
    """Return all scripts of a folder, without comments and spaces."""
    files = sorted((_FOLDER / name).glob("*.js"))
    content = bytes(jsmin(b"".join(file.read_bytes() for file in files)))
    return content + _ALL_ARE_THERE if name == NAMES[-1] else content


def _version(content: bytes) -> str:
    return sha256(content).hexdigest()[:_VERSION_CHARS]


def _endpoint(content: bytes) -> Callable[[Request], Awaitable[Response]]:
    etag = f'"{_version(content)}"'

    async def answer(request: Request) -> Response:
        headers = {"etag": etag}
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type="text/javascript")

    return answer

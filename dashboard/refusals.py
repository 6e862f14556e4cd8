"""What is answered instead of what was asked for."""

import json

from starlette.responses import Response


class RefusedError(Exception):
    """The application does not do what is asked, and says why."""

    def __init__(self, status: int, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail

    def answer(self) -> Response:
        """Return it as JSON."""
        return json_error(self.status, self.reason, self.detail)


def mongo_away() -> RefusedError:
    """Return what is said while MongoDB is away."""
    detail = "MongoDB does not answer; try again in a moment"
    return RefusedError(503, "mongo_away", detail)


def json_error(status: int, reason: str, detail: str, **more: object) -> Response:
    """Return an error as JSON: `{"error": {"reason": …, "detail": …}}`."""
    error = {"reason": reason, "detail": detail, **more}
    body = json.dumps({"error": error}, ensure_ascii=False)
    return Response(body, status, media_type="application/json")


def listenbrainz_error(status: int, detail: str) -> Response:
    """Return an error as ListenBrainz words it: `{"code": …, "error": …}`."""
    body = json.dumps({"code": status, "error": detail}, ensure_ascii=False)
    return Response(body, status, media_type="application/json")


def no_listener(*, has_token: bool) -> RefusedError:
    """Return what a scrobbler is told whose token is nobody's, or who has none."""
    if has_token:
        return RefusedError(401, "bad_token", "the authorization token is invalid")
    return RefusedError(
        401, "no_token", "you need to provide a header Authorization: Token <token>"
    )

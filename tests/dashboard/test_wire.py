import gzip
import re
from typing import Final

import pytest

from tests.dashboard.site import Site

pytestmark = pytest.mark.mongo
GZIP: Final = {"Accept-Encoding": "gzip, br"}


def suites(site: Site) -> list[str]:
    page = site.ask("/").body.decode()
    return re.findall(r'src="(/_dash-component-suites/[^"]+)"', page)


def test_scripts_travel_compressed_and_say_how_long_they_stay(site: Site) -> None:
    plain = site.ask("/scripts/player.js")
    small = site.ask("/scripts/player.js?m=1", headers=GZIP)
    assert "content-encoding" not in plain.headers
    assert small.headers["content-encoding"] == "gzip"
    assert gzip.decompress(small.body) == plain.body
    assert len(small.body) < 0.5 * len(plain.body)
    assert plain.headers["cache-control"] == "no-cache"
    assert "immutable" in small.headers["cache-control"]
    assert "immutable" not in site.ask("/scripts/none.js?m=1").headers.get(
        "cache-control", ""
    )
    known = {"If-None-Match": plain.headers["etag"], **GZIP}
    assert site.ask("/scripts/player.js", headers=known).status == 304


def test_dashs_scripts_are_the_same_each_time(site: Site) -> None:
    paths = suites(site)
    assert len(paths) > 5
    for path in paths:
        plain = site.ask(path)
        first, second = (site.ask(path, headers=GZIP) for _ in range(2))
        assert gzip.decompress(first.body) == plain.body
        for answer in (first, second):
            answer.headers.pop("date")
        assert (first.body, first.headers) == (second.body, second.headers)
        assert first.headers["content-security-policy"]


def test_pages_travel_compressed(site: Site) -> None:
    page = site.ask("/", headers=GZIP)
    assert page.headers["content-encoding"] == "gzip"
    assert b"<html" in gzip.decompress(page.body)
    assert "script-src 'self'" in page.headers["content-security-policy"]
    head = site.ask("/", "HEAD", headers=GZIP)
    assert (head.status, head.body) == (200, b"")


def test_audio_and_its_parts_travel_as_they_are(site: Site) -> None:
    whole = site.ask("/media/t1", headers=GZIP)
    assert "content-encoding" not in whole.headers
    assert whole.headers["content-length"] == str(len(whole.body))
    part = site.ask("/media/t1", headers={"Range": "bytes=5-9", **GZIP})
    assert (part.status, part.body) == (206, whole.body[5:10])
    known = {"If-None-Match": whole.headers["etag"], **GZIP}
    assert site.ask("/media/t1", headers=known).status == 304

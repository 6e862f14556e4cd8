"""Pieces of a file from outside: bounded memory, whatever is in it.

A piece is a line, an element of a JSON array or a row of a table. What is too large or
broken is passed over with its reason, and reading goes on behind it.
"""

import codecs
import csv
import json
import re
from collections.abc import Iterator
from typing import IO, Any, Final

from segue.errors import Reason
from streaming.importers.play import TRUNCATED, Refusal
from streaming.importers.source import encoding_of

MAX_PIECE_CHARS: Final = 262_144
# small, since the error of a broken element costs a walk through its chunk
_CHUNK_BYTES: Final = 1 << 17
_MAX_ROW_LINES: Final = 20
_GAP: Final = re.compile(r"[\s,\ufeff]*")
# possessive, so that a long run of blanks is gone through once
_NEXT: Final = re.compile(r"\}\s*+(?:,\s*+)?(?=\{)")


_END: Final = Refusal(TRUNCATED, "the file has no more lines")
_BLANKS: Final = " \t\r\n,\ufeff"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a key is there twice")
    return fields


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique)


def text_of(file: IO[bytes]) -> Iterator[str]:
    """Yield the text in chunks; bytes that are none become lone surrogates."""
    content = file.read(_CHUNK_BYTES)
    encoding = encoding_of(content)
    errors = "replace" if encoding.startswith("utf-16") else "surrogateescape"
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    while content:
        yield decoder.decode(content)
        content = file.read(_CHUNK_BYTES)
    yield decoder.decode(b"", final=True)


def iter_lines(file: IO[bytes]) -> Iterator[str | Refusal]:
    """Yield the lines, without their ends; an overlong one is a refusal."""
    left, n_dropped = "", 0
    for text in text_of(file):
        *lines, left = (left + text).split("\n")
        for number, line in enumerate(lines):
            if n_dropped and number == 0:
                yield _too_large(n_dropped + len(line))
                n_dropped = 0
            elif len(line) > MAX_PIECE_CHARS:
                yield _too_large(len(line))
            else:
                yield line.removesuffix("\r")
        if n_dropped or len(left) > MAX_PIECE_CHARS:
            n_dropped, left = n_dropped + len(left), ""
    if n_dropped:
        yield _too_large(n_dropped)
    elif left:
        yield left.removesuffix("\r")


def iter_json_lines(file: IO[bytes]) -> Iterator[Any]:
    """Yield the value of each line that is not blank, or its refusal."""
    for line in iter_lines(file):
        if isinstance(line, Refusal):
            yield line
        elif line.strip():
            yield _loaded(line)


def iter_json(file: IO[bytes], head: str) -> Iterator[Any]:
    """Yield the values of a file: an array's elements, lines, or whatever is there.

    Parameters
    ----------
    head : str
        How the file begins.
    """
    first, _, more = head.lstrip("\ufeff \t\r\n").partition("\n")
    if first.startswith("["):
        return iter(_Values(file, in_array=True))
    if first.strip() == "{" and more:
        return iter(_Values(file, in_array=False))
    return iter_json_lines(file)


class _Values:
    """Objects that follow each other; memory use does not depend on how many."""

    def __init__(self, file: IO[bytes], in_array: bool) -> None:
        self._chunks, self._in_array = text_of(file), in_array
        self._text, self._at, self._is_all = "", 0, False

    def __iter__(self) -> Iterator[Any]:
        self._read_more()
        self._at = self._text.find("[") + 1 if self._in_array else 0
        while True:
            self._skip_gap()
            rest = len(self._text) - self._at
            if rest and self._text[self._at] == "]":
                return
            if not rest and self._is_all:
                if self._in_array:
                    yield Refusal(TRUNCATED, "the array has no end")
                return
            try:
                value, self._at = _DECODER.raw_decode(self._text, self._at)
                yield value
            except (ValueError, RecursionError) as error:
                may_go_on = isinstance(error, json.JSONDecodeError)
                if may_go_on and rest <= MAX_PIECE_CHARS and not self._is_all:
                    self._read_more()
                    continue
                is_large = may_go_on and rest > MAX_PIECE_CHARS and self._is_cut(error)
                is_found = self._skip_element()
                yield (
                    _too_large(rest, "at least ")
                    if is_large
                    else _broken(error, is_last=not is_found)
                )
                if not is_found:
                    return

    def _skip_gap(self) -> None:
        while True:
            gap = _GAP.match(self._text, self._at)
            self._at = gap.end() if gap else self._at
            if self._at < len(self._text) or self._is_all:
                return
            self._read_more()

    def _skip_element(self) -> bool:
        """Go to where the next object seems to begin; False where none does."""
        while (found := _NEXT.search(self._text, self._at)) is None:
            if self._is_all:
                return False
            self._forget_all_but_end()
            self._read_more()
        self._at = found.end()
        return True

    def _forget_all_but_end(self) -> None:
        """Keep a bracket that may be the end of an element, however long the gap."""
        self._text, self._at = self._text[self._at :].rstrip(_BLANKS)[-1:], 0

    def _is_cut(self, error: Exception) -> bool:
        """Tell whether an element seems right as far as it has been read."""
        at = getattr(error, "pos", 0)
        return "Unterminated" in str(error) or at >= len(self._text) - 1

    def _read_more(self) -> None:
        more = next(self._chunks, None)
        self._is_all = more is None
        self._text, self._at = self._text[self._at :] + (more or ""), 0


def iter_tsv(file: IO[bytes]) -> Iterator[list[str] | Refusal]:
    """Yield the rows of a table of tabs, in which quotes mean nothing."""
    for line in iter_lines(file):
        if isinstance(line, Refusal):
            yield line
        elif line.strip():
            yield line.split("\t")


def iter_csv(file: IO[bytes], comma: str = ",") -> Iterator[list[str] | Refusal]:
    """Yield the rows of a table of commas; quoted cells may hold newlines.

    Where a quote has no end, its line alone is refused.
    """
    lines = _PushBack(iter_lines(file))
    for line in lines:
        if isinstance(line, Refusal):
            yield line
            continue
        row, held = line, list[str | Refusal]()
        while row.count('"') % 2 and len(held) < _MAX_ROW_LINES:
            held.append(next(lines, _END))
            if isinstance(held[-1], Refusal):
                break
            row += "\n" + held[-1]
        if row.count('"') % 2:
            lines.put_back(held)
            yield Refusal(Reason.WRONG_VALUE, f"a quote is not closed: {line:.60}")
        elif row.strip():
            yield _cells(row, comma)


class _PushBack:
    """An iterator that takes back what was not used."""

    def __init__(self, lines: Iterator[str | Refusal]) -> None:
        self._lines, self._waiting = lines, list[str | Refusal]()

    def __iter__(self) -> Iterator[str | Refusal]:
        return self

    def __next__(self) -> str | Refusal:
        return self._waiting.pop(0) if self._waiting else next(self._lines)

    def put_back(self, lines: list[str | Refusal]) -> None:
        self._waiting[:0] = [line for line in lines if line is not _END]


def _cells(row: str, comma: str) -> list[str] | Refusal:
    if '"' not in row:
        return row.split(comma)
    try:
        return next(csv.reader([row], delimiter=comma))
    except csv.Error as error:
        return Refusal(Reason.WRONG_VALUE, f"not a row: {error}")


def _loaded(line: str) -> Any:
    try:
        return _DECODER.decode(line)
    except (ValueError, RecursionError) as error:
        return _broken(error, is_last=False)


def _broken(error: Exception, is_last: bool) -> Refusal:
    if isinstance(error, RecursionError):
        return Refusal(Reason.NOT_JSON, "it is nested too deeply")
    is_cut = is_last and isinstance(error, json.JSONDecodeError)
    return Refusal(TRUNCATED if is_cut else Reason.NOT_JSON, str(error)[:120])


def _too_large(n_chars: int, about: str = "") -> Refusal:
    detail = (
        f"{about}{n_chars} characters in one piece, at most {MAX_PIECE_CHARS} are taken"
    )
    return Refusal(Reason.TOO_LARGE, detail)

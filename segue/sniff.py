"""What the first bytes of a file say: audio of some kind, or not."""

from typing import BinaryIO, Final

_HEAD_BYTES: Final = 512
_ID3_BYTES: Final = 10
_STARTS: Final = (
    b"fLaC",
    b"OggS",
    b"MAC ",  # Monkey's Audio
    b"wvpk",  # WavPack
    b"TTA1",
    b"tBaK",  # TAK
    b"ajkg",  # Shorten
    b"DSD ",
    b"FRM8",  # DSDIFF
    b"MP+",  # Musepack
    b"MPCK",
    b"riff\x2e\x91\xcf\x11",  # Wave64
    b"\x1aE\xdf\xa3",  # Matroska
    b"0&\xb2u\x8ef\xcf\x11\xa6\xd9\x00\xaa\x00b\xcel",  # ASF (WMA)
)
_FORMS: Final = {
    b"RIFF": (b"WAVE",),
    b"RF64": (b"WAVE",),
    b"BW64": (b"WAVE",),
    b"FORM": (b"AIFF", b"AIFC"),
}
_ADTS: Final = tuple(bytes((0xFF, second)) for second in (0xF0, 0xF1, 0xF8, 0xF9))


def read_head(file: BinaryIO) -> bytes:
    """Read the first bytes of a file, behind an ID3 tag if it begins with one.

    Raises
    ------
    OSError
        When the file cannot be read.
    """
    head = file.read(_HEAD_BYTES)
    if not head.startswith(b"ID3") or len(head) < _ID3_BYTES:
        return head
    size = 0
    for byte in head[6:10]:  # seven bits each
        size = size << 7 | byte & 0x7F
    file.seek(_ID3_BYTES + size)
    return file.read(_HEAD_BYTES)


def is_audio_head(head: bytes) -> bool:
    r"""Tell whether a file that begins with `head` is of a kind that holds audio.

    MPEG layers I to III are not among these kinds: two bytes are all that they begin
    with.

    Examples
    --------
    >>> is_audio_head(b"fLaC\x00\x00\x00\x22"), is_audio_head(b"<!doctype html>")
    (True, False)
    """
    if head.startswith(_STARTS) or head[4:8] == b"ftyp" or is_adts_head(head):
        return True
    return head[8:12] in _FORMS.get(head[:4], ())


def is_adts_head(head: bytes) -> bool:
    """Tell whether these bytes begin AAC audio without a container."""
    return head.startswith(_ADTS)


def is_text_head(head: bytes) -> bool:
    """Tell whether these bytes are text, as no audio's first bytes are."""
    return all(byte >= ord(" ") or byte in b"\t\n\r\f" for byte in head)

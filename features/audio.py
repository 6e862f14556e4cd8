"""Audio files as a stream of mono blocks, whatever their format, rate and length.

libsndfile reads what it can; the rest goes through audioread to ffmpeg. Blocks are
float32 and mono by the mean of the channels, the samples that ``librosa.load(path,
sr=None)`` gives, but never the whole file at once. What a header claims is only
compared with what was decoded.
"""

import re
import shutil
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import audioread
import numba
import numpy as np
import soundfile
from audioread.ffdec import FFmpegAudioFile, ReadTimeoutError
from numpy.typing import NDArray

from segue.errors import UnreadableAudioError

T = TypeVar("T")

BLOCK_FRAMES: Final = 65_536
MIN_RATE_HZ: Final = 1_000
MAX_RATE_HZ: Final = 768_000
MAX_CHANNELS: Final = 64
MAX_PEAK: Final = 1e9
"""Largest sample that can be sound; the power of larger ones is soon no number."""

_FFMPEG_BLOCK_BYTES: Final = 65_536
_FFMPEG_QUEUE_BLOCKS: Final = 32
_FFMPEG_END_S: Final = 10
_ENDLESS: Final = 1 << 62
_INT16_PEAK: Final = 32_768.0
_STEREO: Final = 2


@dataclass(slots=True)
class Audio:
    """An open audio file.

    Attributes
    ----------
    sample_rate_hz : int
        The file's own rate.
    n_channels : int
    n_announced : int or None
        Samples a channel, as the header claims; None where no header is believed.
    blocks : iterator of ndarray, float32, shape (n_samples,)
        The mono signal in order, at most `BLOCK_FRAMES` samples at a time; each block
        is overwritten by the next. Raises UnreadableAudioError for samples that are
        not finite or beyond `MAX_PEAK`, and where the decoder gives up.
    n_decoded : int
        Samples that `blocks` has given so far.
    """

    sample_rate_hz: int
    n_channels: int
    n_announced: int | None
    blocks: Iterator[NDArray[np.float32]] = field(default_factory=lambda: iter(()))
    n_decoded: int = 0


def read_audio(path: str, consume: Callable[[Audio], T]) -> T:
    """Return what `consume` makes of a file.

    Where libsndfile gives up in the middle (it does on some whole Opus files), the file
    is gone through once more with ffmpeg, as librosa does.

    Parameters
    ----------
    consume : callable
        Goes once through the blocks; may be called a second time, from the start.

    Raises
    ------
    UnreadableAudioError
        When the file is gone or empty, no decoder reads it (audioread's
        `NoBackendError`), or its samples are not finite.
    """
    _require_content(path)
    n_announced = None
    try:
        with _OnePass(path) as file:
            # a stream that was piped to a file announces 2 ** 63 - 1
            n_announced = file.frames if file.frames < _ENDLESS else None
            audio = Audio(file.samplerate, file.channels, n_announced)
            return consume(_started(path, audio, _sndfile_blocks(file)))
    except soundfile.LibsndfileError as error:
        with warnings.catch_warnings():  # of modules that Python 3.13 lacks
            warnings.simplefilter("ignore")
            ffmpeg = _open_ffmpeg(path, error)
    with ffmpeg:
        audio = Audio(ffmpeg.samplerate, ffmpeg.channels, n_announced)
        return consume(_started(path, audio, _ffmpeg_blocks(path, ffmpeg)))


def _require_content(path: str) -> None:
    try:
        if Path(path).stat().st_size == 0:
            raise UnreadableAudioError(path, "decode", "the file is empty")
        with Path(path).open("rb"):
            pass
    except OSError as error:
        raise UnreadableAudioError(path, "read", str(error), retry=True) from error


def _started(path: str, audio: Audio, decoded: Iterator[NDArray[np.float32]]) -> Audio:
    if not MIN_RATE_HZ <= audio.sample_rate_hz <= MAX_RATE_HZ:
        sense = f"{MIN_RATE_HZ} to {MAX_RATE_HZ} make sense"
        cause = f"it claims {audio.sample_rate_hz} Hz; {sense}"
        raise UnreadableAudioError(path, "decode", cause)
    if not 0 < audio.n_channels <= MAX_CHANNELS:
        cause = f"it claims {audio.n_channels} channels; 1 to {MAX_CHANNELS} make sense"
        raise UnreadableAudioError(path, "decode", cause)
    audio.blocks = _counted(path, audio, decoded)
    return audio


def _counted(
    path: str, audio: Audio, decoded: Iterator[NDArray[np.float32]]
) -> Iterator[NDArray[np.float32]]:
    for block in decoded:
        # one number tells of most blocks that none of their samples is odd
        with np.errstate(over="ignore", invalid="ignore"):
            energy = np.dot(block, block)
        if not energy <= MAX_PEAK**2:
            start_s = audio.n_decoded / audio.sample_rate_hz
            _require_sound(path, block, start_s)
        audio.n_decoded += len(block)
        yield block


def _require_sound(path: str, block: NDArray[np.float32], start_s: float) -> None:
    where = f"of {len(block)} after {start_s:.1f} s"
    if n_bad := int(np.count_nonzero(~np.isfinite(block))):
        cause = f"its samples are not finite: {n_bad} {where} are NaN or infinite"
        raise UnreadableAudioError(path, "samples", cause)
    if n_bad := int(np.count_nonzero(np.abs(block) > MAX_PEAK)):
        cause = (
            f"its samples are out of range: {n_bad} {where} are beyond {MAX_PEAK:.0e}, "
            "where 1 is full scale"
        )
        raise UnreadableAudioError(path, "samples", cause)


class _OnePass(soundfile.SoundFile):  # type: ignore[misc]
    """A file that is read from start to end.

    Otherwise soundfile seeks after each block to where it is already. That takes time,
    and makes an MP3 decoder begin anew, with other samples than in one go.
    """

    def seekable(self) -> bool:
        return False


def _sndfile_blocks(file: soundfile.SoundFile) -> Iterator[NDArray[np.float32]]:
    frames = np.empty((BLOCK_FRAMES, file.channels), dtype=np.float32)
    mono = np.empty(BLOCK_FRAMES, dtype=np.float32)
    while len(part := file.read(out=frames)):
        yield _mono(part, mono[: len(part)])


def _mono(
    frames: NDArray[np.float32], mono: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the mean of the channels; `mono` is memory for it, shape (n,).

    Parameters
    ----------
    frames : ndarray, float32, shape (n, n_channels)
    """
    if frames.shape[1] == _STEREO:  # many times as fast as the general form
        _mean_of_two(frames, mono)
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            np.mean(frames, axis=1, out=mono)
    return mono


@numba.njit(cache=True)
def _mean_of_two(frames: NDArray[np.float32], mono: NDArray[np.float32]) -> None:
    for n in range(len(mono)):
        mono[n] = (frames[n, 0] + frames[n, 1]) * np.float32(0.5)


_STREAM: Final = re.compile(r"\s*Stream #\d+:\d+.*?: Audio: .*?, (\d+) Hz, ([^,]+),")
_LAYOUTS: Final = {"mono": 1, "stereo": 2, "downmix": 2, "quad": 4, "hexagonal": 6}
_LAYOUT: Final = re.compile(r"(\d+)(?: channels?|\.(\d+)(?:\.(\d+))?)")


class _BoundedFFmpeg(FFmpegAudioFile):  # type: ignore[misc]
    """audioread's ffmpeg, with two mends.

    It does not run ahead of its reader without limit, and it takes rate and channels
    from the line that describes the stream: not from tags that look like one.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path, block_size=_FFMPEG_BLOCK_BYTES)
        self.stdout_reader.queue.maxsize = _FFMPEG_QUEUE_BLOCKS

    def _get_info(self) -> None:
        for line in self.proc.stderr:
            if match := _STREAM.match(line.decode("utf-8", "replace")):
                self.samplerate = int(match[1])
                self.channels = n_channels(match[2])
                return
        raise audioread.DecodeError("ffmpeg finds no audio stream")

    def close(self) -> None:
        if hasattr(self, "stdout_reader"):  # its thread may wait for room
            queue = self.stdout_reader.queue
            with queue.mutex:
                queue.maxsize = sys.maxsize
                queue.not_full.notify_all()
        super().close()


def n_channels(layout: str) -> int:
    """Return the number of channels of a layout in ffmpeg's words; 0 for others.

    Examples
    --------
    >>> [n_channels(each) for each in ("stereo", "5.1(side)", "quad", "3 channels")]
    [2, 6, 4, 3]
    """
    name = layout.strip().split("(")[0]
    if name in _LAYOUTS:
        return _LAYOUTS[name]
    match = _LAYOUT.fullmatch(name)
    return sum(int(n) for n in match.groups() if n) if match else 0


def _open_ffmpeg(path: str, why: soundfile.LibsndfileError) -> Any:
    try:
        return audioread.audio_open(path, backends=[_BoundedFFmpeg])
    except audioread.NoBackendError as error:
        said = "libsndfile does not read it"
        if not why.error_string.startswith("File does not exist"):  # it was just read
            said += f" ({why.error_string})"
        if shutil.which("ffmpeg") is None:
            cause = f"{said}; install ffmpeg and build again"
            raise UnreadableAudioError(path, "decode", cause, retry=True) from error
        cause = f"{said}, nor does ffmpeg"
        raise UnreadableAudioError(path, "decode", cause) from error


def _ffmpeg_blocks(path: str, file: Any) -> Iterator[NDArray[np.float32]]:
    left = b""
    frame_bytes = 2 * file.channels
    try:
        for data in file.read_data():
            pending = left + data
            n_whole = len(pending) // frame_bytes * frame_bytes
            left = pending[n_whole:]
            frames = np.frombuffer(pending[:n_whole], dtype="<i2").astype(np.float32)
            frames *= np.float32(1 / _INT16_PEAK)
            if len(frames):
                frames = frames.reshape(-1, file.channels)
                yield _mono(frames, np.empty(len(frames), dtype=np.float32))
    except ReadTimeoutError as error:
        raise UnreadableAudioError(path, "decode", "ffmpeg hangs", True) from error
    # what it could not make sense of, it has left out; but it must not have been killed
    if (status := file.proc.wait(_FFMPEG_END_S)) < 0:
        cause = f"ffmpeg died of {signal.Signals(-status).name}"
        raise UnreadableAudioError(path, "decode", cause, retry=True)

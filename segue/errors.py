"""The error tree. Each message says what was got, what was wanted and what to do.

SegueError
├── SettingsError            a setting is unknown or has a wrong value
├── InvalidEventError        bytes that are no playback event (carries a reason code)
├── LibraryError             a music folder that cannot be used
├── HistoryError             a file of plays from elsewhere that cannot be imported
├── UnreadableAudioError     a file of which no track can be made
├── IndexMissingError        no track index has been built yet
├── AccountError             an account cannot be made, used or changed (a reason code)
├── ModelError               a model cannot be trained, or one that was cannot be used
├── ServiceError             a local service cannot be started, reached or stopped
│   ├── PortInUseError       somebody else listens on the port
│   ├── KafkaUnreachableError
│   │   └── SpoolFullError   … and what waits for it on disk has no more room
│   └── MongoUnreachableError
├── MissingProgramError      Java, ffmpeg, Chromium, mongod … is not on the machine
├── SimulationError          a simulation that cannot be run, or judged
├── StreamError              the streaming job cannot start or has failed
├── SparkJobError            a job that was handed to spark-submit has failed
└── CheckFailedError         `segue demo --check` saw something else than it should
"""

from enum import StrEnum


class SegueError(Exception):
    """Root of every error that a person can act on; the command line prints it."""


class Reason(StrEnum):
    """Why a message was rejected."""

    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    NOT_OBJECT = "not_object"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    WRONG_VALUE = "wrong_value"
    TOO_LONG = "too_long"
    NEGATIVE = "negative"
    BAD_TIME = "bad_time"
    FUTURE_TIME = "future_time"
    NEWER_SCHEMA = "newer_schema"
    UNKNOWN_TRACK = "unknown_track"


class SettingsError(SegueError):
    """A setting is unknown or has a wrong value."""


class InvalidEventError(SegueError):
    """Bytes or fields that are no playback event.

    Attributes
    ----------
    reason : str
        One of the codes in :class:`Reason`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class AccountError(SegueError):
    """An account cannot be made, used or changed.

    Attributes
    ----------
    reason : str
        `bad_name`, `bad_password`, `name_taken`, `wrong_login`, `wrong_password`,
        `unknown_account`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class LibraryError(SegueError):
    """A music folder that cannot be used."""


class HistoryError(SegueError):
    """A file of plays from elsewhere that cannot be imported."""


class UnreadableAudioError(SegueError):
    """A file of which no track can be made.

    Attributes
    ----------
    stage : str
        How far it came: `read`, `tags`, `decode`, `samples`, `mfcc`, `descriptors`; or
        `time`, `memory`, `worker` (its process died), `unknown`.
    cause : str
        What was wrong, without the path.
    retry : bool
        Whether another try, with the same bytes, may end otherwise.
    """

    def __init__(self, path: str, stage: str, cause: str, retry: bool = False) -> None:
        super().__init__(f"{path!r} gives no track: {cause} (stage {stage})")
        self.stage = stage
        self.cause = cause
        self.retry = retry


class IndexMissingError(SegueError):
    """No track index has been built yet."""


class ModelError(SegueError):
    """A model cannot be trained, or one that was cannot be used."""


class ServiceError(SegueError):
    """A local service cannot be started, reached or stopped."""


class PortInUseError(ServiceError):
    """Somebody else listens on the port."""


class KafkaUnreachableError(ServiceError):
    """No Kafka broker answers at the given address."""


class SpoolFullError(KafkaUnreachableError):
    """Kafka is away, and events that wait for it on disk have no more room."""


class MongoUnreachableError(ServiceError):
    """No MongoDB answers at the given address."""


class MissingProgramError(SegueError):
    """A program that Segue needs is not on the machine."""


class SimulationError(SegueError):
    """A simulation that cannot be run, or judged."""


class StreamError(SegueError):
    """The streaming job cannot start or has failed."""


class SparkJobError(SegueError):
    """A job that was handed to `spark-submit` cannot start or has failed."""


class CheckFailedError(SegueError):
    """A self-check saw something else than it should."""

"""The sections of the settings: what a user may set, with its default and its unit.

`segue.settings` reads them from the settings file and the environment.
"""

from pathlib import Path
from typing import Annotated

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

_S_PER_DAY = 86_400
# a sum of shares in binary may be a little more than the whole
_ROUNDING = 1e-9

Port = Annotated[int, Field(ge=0, le=65535)]
PositiveInt = Annotated[int, Field(gt=0)]
PositiveFloat = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]


class Section(BaseModel):
    """Frozen; an unknown name is an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True
    )


class KafkaSettings(Section):
    """The broker and its topics."""

    bootstrap: str | None = None
    """`host:port` of the user's own Kafka; unset: a local broker is started."""
    port: Port = 9092
    """Port of the local broker on loopback; 0 chooses a free one."""
    events_topic: str = "playback.events"
    history_topic: str = "playback.history"
    """Imported plays, with event times of long ago."""
    rejected_topic: str = "playback.rejected"
    partitions: PositiveInt = 2
    """Partitions of a topic that Segue creates."""
    retention_h: PositiveInt = 168
    """Hours for which a topic that Segue creates keeps its messages."""
    timeout_ms: PositiveInt = 5000
    """Milliseconds to wait for a broker before it counts as unreachable."""
    spool_mb: PositiveInt = 256
    """Most MiB of events that wait on disk while Kafka is away."""


class MongoSettings(Section):
    """The document store."""

    uri: SecretStr | None = None
    """URI of the user's own MongoDB (a replica set); unset: a local one is started."""
    port: Port = 27017
    """Port of the local `mongod` on loopback; 0 chooses a free one."""
    database: str = "segue"
    timeout_ms: PositiveInt = 5000
    """Milliseconds to wait for a server before it counts as unreachable."""
    listens_days: Annotated[int, Field(ge=0)] = 0
    """Days for which `listens` keeps a play, which stays archived; 0: for ever."""


class SparkSettings(Section):
    """How Spark is started."""

    master: str = "local[2,4]"
    """Spark master; `[2,4]` is two cores and four attempts at a task."""
    driver_memory: str = "1g"
    java_home: Path | None = None
    """Where Java 17 or 21 is (`JAVA_HOME`); unset: it is looked for."""
    ivy_settings: Path | None = None
    """Ivy settings file with a mirror of Maven Central; unset: Central itself."""


class FeatureSettings(Section):
    """Audio → feature table."""

    files_per_commit: PositiveInt = 64
    """Most files whose rows are committed together; a killed build loses fewer."""
    file_timeout_s: PositiveInt = 50
    """Seconds for one file, and as many again for each 16 MiB of it."""
    worker_memory_mb: Annotated[int, Field(ge=512)] = 1024
    """Most memory, in MiB, of a process that reads a file, however long that is."""
    refit_share: PositiveFloat = 0.2
    """Share by which the catalogue may change before the taste space is fitted anew."""
    refit_after_h: PositiveInt = 168
    """Hours after which a changed catalogue has its space fitted anew all the same."""
    rescan_s: PositiveInt = 300
    """Seconds after which `--watch` looks through the folder without being told."""
    exact_tracks: PositiveInt = 200_000
    """Above so many tracks a graph finds what is near, which may miss one of 100."""


class StreamSettings(Section):
    """The streaming job."""

    watermark_s: PositiveInt = 600
    """Seconds that an event may reach Kafka after its event time; then it is late."""
    future_tolerance_s: PositiveInt = 300
    """Seconds that an event time may lie ahead of Kafka's clock."""
    partition_skew_s: PositiveInt = 600
    """Seconds by which one Kafka partition may be read ahead of another."""
    pane_s: PositiveInt = 300
    """Length of a tumbling pane of event time; a day is a whole number of them."""

    @field_validator("pane_s")
    @classmethod
    def _divides_a_day(cls, pane_s: int) -> int:
        if _S_PER_DAY % pane_s:
            raise ValueError(f"no whole number of {pane_s} s in a day of 86400 s")
        return pane_s

    @property
    def held_s(self) -> int:
        """Seconds by which Spark's watermark stands behind the newest event time.

        So it drops no event that the judge lets through.
        """
        return self.watermark_s + self.future_tolerance_s + self.partition_skew_s

    trigger_ms: PositiveInt = 200
    """Shortest time between two micro-batches."""
    pane_events: PositiveInt = 1_000
    """Most messages of one listener that a pane keeps; more are counted, not kept."""
    max_offsets_per_trigger: PositiveInt = 1_000_000
    """Most messages that one micro-batch takes; `intake` a quarter of it."""
    batch_mb: PositiveInt = 256
    """Most MiB of them: of large messages a micro-batch takes fewer."""
    lists_s: PositiveFloat = 2.0
    """Seconds in which a task makes lists; those of more listeners follow later."""
    small_files: PositiveInt = 48
    """Small files of a date in the archive; where there are more, they are merged."""
    hours_wait_s: NotNegative = 5.0
    """Seconds that hours of `activity` wait for more; days twice, months four times."""
    metrics_port: Port = 0
    """Where the job answers Prometheus, on this machine; 0: nowhere."""


class TasteSettings(Section):
    """From listens to a taste and a list."""

    horizon_s: PositiveInt = 86_400
    """Seconds of listening that count play by play, as `now` and `today`."""
    now_half_life_listens: PositiveFloat = 3.0
    """Full plays after which a listen counts half in `now`."""
    half_life_s: PositiveFloat = 1800.0
    """Seconds after which a listen counts half in `now`, without any play after it."""
    negative_half_life_s: PositiveFloat = 600.0
    """The same of a skip: skips fade faster, in all horizons in this proportion."""
    today_half_life_s: PositiveFloat = 21_600.0
    """Seconds after which a listen counts half in `today`."""
    month_d: PositiveInt = 30
    """Days that `month` reaches back."""
    month_half_life_d: PositiveFloat = 10.0
    """Days after which a listen counts half in `month`."""
    always_half_life_d: PositiveFloat = 365.0
    """Days after which a listen counts half in `always`."""
    today_share: NotNegative = 0.3
    """Weight of `today` in a list, against `now`, which weighs 1."""
    month_share: NotNegative = 0.2
    """Weight of `month`, against `now`."""
    always_share: NotNegative = 0.1
    """Weight of `always`, against `now`."""
    negative_pull: Share = 0.5
    """Weight of the mean of what was skipped, against that of what was heard."""
    # one of so many stands for enough of what was heard to vote (`models/seeds.py`)
    n_seeds: Annotated[int, Field(ge=0, le=6)] = 3
    """Most seed tracks of a list: medoids of what was heard, which vote beside it."""
    seed_share: Share = 0.3
    """Share of the seed tracks' vote in a score, against the taste vector's."""
    radio_seed_share: Share = 0.6
    """The same in a radio, of the tracks with which it begins, where there are some."""
    heard_s: PositiveInt = 1800
    """Seconds for which a played track stays out of the list."""
    max_per_artist: PositiveInt = 4
    """Most tracks of one artist in a list."""
    max_per_album: PositiveInt = 3
    """Most tracks of one album in a list."""
    variety: Share = 0.1
    """What likeness to a track above in the list costs; 0: order by score alone."""
    familiar: Annotated[float, Field(ge=-1, le=1)] = 0.0
    """From -1, rather what was never heard, to 1, rather what was heard before."""
    explored_share: Share = 0.05
    """Probability that a place of a list goes to any of its candidates, by lot."""
    n_recommendations: PositiveInt = 20
    """Length of a list."""


class LearningSettings(Section):
    """From all listeners' plays to a model."""

    n_factors: PositiveInt = 32
    """Factors of a track and of a listener."""
    n_iterations: PositiveInt = 10
    """Rounds of the factorisation."""
    confidence: PositiveFloat = 10.0
    """How much surer one full play makes, against none, that a track is liked."""
    regularization: PositiveFloat = 0.05
    """Holds factors small, the more the less is known."""
    n_neighbours: PositiveInt = 50
    """Most neighbours of a track: those that the same listeners play."""
    collaborative_share: Share = 0.2
    """Share of what listeners of the same tracks like in a score, where a model is."""
    neighbours_share: Share = 0.2
    """Share of what is played together with what was heard."""
    followers_share: Share = 0.1
    """Share of what is played next after what was heard last; the three at most 1."""

    @model_validator(mode="after")
    def _at_most_whole(self) -> "LearningSettings":
        shares = self.collaborative_share, self.neighbours_share, self.followers_share
        if sum(shares) > 1 + _ROUNDING:
            raise ValueError("the three shares are together more than 1")
        return self


class DashboardSettings(Section):
    """The web application."""

    host: str = "127.0.0.1"
    port: Port = 8050
    """Port of the web application; 0 chooses a free one."""
    rate_limit: PositiveInt = 100
    """Requests in ten seconds that one listener's programs may make at `/1/`."""
    public_host: str | None = None
    """Name under which a proxy that speaks TLS serves it; log-ins are for TLS then."""
    proxy: str | None = None
    """Address of that proxy, which alone is believed for whom it asks."""
    sign_up: bool = True
    """Whether everybody who can open the page may make an account."""
    login_days: PositiveInt = 30
    """Days after which a browser has to log in again."""
    login_tries: PositiveInt = 10
    """Tries of one address to log in to one account in five minutes; five times as many
    for all accounts and sign-ups together."""
    transcoded_mb: PositiveInt = 2000
    """Most MiB of tracks kept in a form that browsers play; the unused go first."""
    transcoders: PositiveInt = 2
    """Most tracks that are being transcoded at once."""
    music_roots: str = ""
    """Folders below which an admin may import music, with `:` between; empty: any."""


class SimulatorSettings(Section):
    """The demo's simulated listeners."""

    n_listeners: PositiveInt = 12
    plays_per_min: PositiveFloat = 30.0
    """Plays per minute of all listeners together."""

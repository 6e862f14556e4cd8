"""Events of the past, imported or late, into panes of a day.

They come long after their event time and know nothing of the live watermark. Their
panes are merged with what is stored, and then a listener is brought up to date by the
same functions as in the stream.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segue.settings import Settings
from streaming.schemas import UPDATED
from streaming.source import Outcome
from streaming.updating import updating
from streaming.windows import by_listener, day_panes


def fold_in(accepted: DataFrame, settings: Settings) -> None:
    """Merge the late and the imported among the accepted events into their days.

    Parameters
    ----------
    accepted : DataFrame
        Valid and late events, of schema `JUDGED`.
    """
    is_late = F.col("outcome") == Outcome.LATE.value
    is_imported = F.col("topic") == settings.kafka.history_topic
    past = accepted.where(is_late | is_imported).withColumn("is_late", is_late)
    update = updating(settings, days=True)
    by_listener(day_panes(past)).mapInArrow(update, UPDATED).collect()

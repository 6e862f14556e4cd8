"""The views of the analysts' pages, for the hub."""

from typing import Any, Final

from dashboard import ids
from dashboard.analytics.answers import Answers
from dashboard.analytics.page import PAGES, AnalystPage, Beside, Choose, Read
from dashboard.analytics.questions import corrected, parse
from dashboard.live import LivePage, Render, View
from dashboard.refusals import RefusedError
from dashboard.subscriber import Properties
from dashboard.views import as_text
from segue.clock import Clock
from segue.roles import Role

# of each question that somebody looks at: ten of them leave the stream its cores
_SHARE: Final = 0.02
# what moves beside the answer: it reads little
_SHARE_BESIDE: Final = 0.1
_SHOWN: Final = {ids.ANALYSIS_BODY: {"hidden": False}}


class AnalyticsViews:
    """Renders the pages that answer questions; of a view the key is its query."""

    def __init__(self, answers: Answers, clock: Clock) -> None:
        self._answers, self._clock = answers, clock

    def pages(self) -> dict[str, LivePage]:
        """Return the pages that are pushed, by name."""
        answers = {
            each.live: LivePage(
                self._render(each, each.choose, each.read),
                each.shows,
                each.pause_s,
                each.refresh_s,
                Role.ANALYST,
                _SHARE,
            )
            for each in PAGES
            if each.choose is not None and each.read is not None
        }
        beside = {
            part.live: LivePage(
                self._beside(each.preset, part),
                part.shows,
                part.pause_s,
                part.refresh_s,
                part.role,
                _SHARE_BESIDE,
            )
            for each in PAGES
            for part in each.beside
        }
        return {**answers, **beside}

    def _render(self, page: AnalystPage, choose: Choose, read: Read) -> Render:
        async def render(view: View) -> Properties:
            now, wrong, shown = self._clock(), None, dict[str, Any](_SHOWN)
            try:
                question = parse(view.key, page.preset, now)
            except RefusedError as refused:
                wrong = refused
                question = corrected(view.key, page.preset, now)
            chosen = await choose(self._answers, question, now)
            shown[ids.ANALYSIS_CONTROLS] = {"children": chosen}
            try:
                if wrong is not None:
                    raise wrong
                question.check_filters(page.filters)
                shown |= await read(self._answers, question, now)
            except RefusedError as refused:
                shown |= _refused(refused)
            return as_text(shown)

        return render

    def _beside(self, preset: str, part: Beside) -> Render:
        async def render(view: View) -> Properties:
            now = self._clock()
            try:
                ask = parse if part.asks else corrected
                question = ask(view.key, preset, now)
                return as_text(await part.read(self._answers, question, now))
            except RefusedError:  # the answer says so
                return {}

        return render


def _refused(refused: RefusedError) -> dict[str, Any]:
    return {
        ids.ANALYSIS_NOTE: {"children": refused.detail},
        ids.ANALYSIS_TIME: {"children": ""},
        ids.ANALYSIS_BODY: {"hidden": True},
    }

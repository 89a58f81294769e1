"""What keeps pages fresh without asking again and again."""

from cronq.domain.access import Role
from cronq.web.actions.pulse import Pulse
from cronq.web.http.exchange import Request
from cronq.web.http.routing import Route
from cronq.web.http.streams import EventStream


class LivePages:
    """Answers at `/events`."""

    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse

    def routes(self) -> tuple[Route, ...]:
        """Its address."""
        return (Route("/events", self.events, needs=Role.VIEWER),)

    async def events(self, _request: Request) -> EventStream:
        """Say whenever something has changed, as server-sent events."""
        return EventStream(self._pulse.events())

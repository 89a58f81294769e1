"""What the API is, in the words of OpenAPI 3.1: `describe` makes it of the routes, the rest says more of each."""

from cronq.web.description.document import describe

__all__ = ["describe"]

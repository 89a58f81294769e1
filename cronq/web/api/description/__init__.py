"""What the API is, in the words of OpenAPI 3.1."""

from cronq.web.api.description.document import describe

__all__ = ["describe"]

"""A distributed cron: tasks in a database, published over AMQP, run anywhere, every result kept."""

__version__ = "1.0.0.dev0"

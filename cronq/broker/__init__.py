"""One small contract of a message broker, kept by an in-process one and by RabbitMQ."""

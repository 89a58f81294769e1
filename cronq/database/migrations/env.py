"""What Alembic runs to migrate: on the connection, and in the transaction, of whoever asked."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=False)
context.run_migrations()

"""What Alembic runs: the migrations, on the connection `storage.schema` hands it."""

from alembic import context

from storage.models import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
)
context.run_migrations()

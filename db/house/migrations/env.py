"""Runs the migrations on the connection that `db.engine` hands over, inside its transaction."""

from alembic import context

from db.house.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter most columns in place
    transactional_ddl=True,  # it can roll back what it creates, once transactions are ours
)
with context.begin_transaction():
    context.run_migrations()

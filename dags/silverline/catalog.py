"""Tables in the Glue catalog."""

from typing import Any


def create_or_update_table(database: str, table: Any) -> None:
    """Make the table of that TableInput, or make it again as it is described now."""
    import boto3

    glue = boto3.client("glue")
    try:
        glue.create_table(DatabaseName=database, TableInput=table)
    except glue.exceptions.AlreadyExistsException:
        # The description is code: its earlier versions are git's to keep.
        glue.update_table(DatabaseName=database, TableInput=table, SkipArchive=True)

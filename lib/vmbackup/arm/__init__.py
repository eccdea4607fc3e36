"""Every word with Azure: the connection, its pipeline, single requests, operations, errors and the audit."""

"""All communication with Azure: the connection, its pipeline, requests, operations, errors and the audit."""

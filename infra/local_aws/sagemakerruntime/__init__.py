"""InvokeEndpoint, answered by the endpoint's model server."""

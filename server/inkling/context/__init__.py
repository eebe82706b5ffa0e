"""What of the workspace a prompt may show. Pure: no input or output, no threads, no model."""

"""From model text to an edit: pure functions over text and documents."""

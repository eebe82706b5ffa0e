"""Services: documents, prompts, engine and syntax joined into answers. No LSP here."""

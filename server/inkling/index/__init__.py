"""The workspace index: what every file of a folder defines and names, kept current and searched."""

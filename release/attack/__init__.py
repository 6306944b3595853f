"""What an outsider can derive from published tables, whoever published them. Never sees the confidential side."""

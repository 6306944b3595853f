"""Cell suppression of exact tables: rules, engine, certificate and attacker, as pure functions on whole numbers."""

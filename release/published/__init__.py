"""Writers of what the world may have; they take safe tables only."""

"""Files of the incumbent tools, both ways: hierarchies (.hrc), metadata and data (.rda, .asc, .tab), JJ problems."""

"""Vehicle lines, one folder each: the mapping to VSS, and DBC files where they are ours."""

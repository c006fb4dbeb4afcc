"""Services that hear a vehicle's signals and act on them, one folder each."""

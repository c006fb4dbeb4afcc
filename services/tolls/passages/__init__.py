"""From findings to passages, and from their fees to money that is asked for (pure)."""

"""Safety profiles as data: one file for each make that is flown."""

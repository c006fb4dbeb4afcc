"""Where to stop on the way: to charge or fuel before it runs short, and where one mostly stops."""

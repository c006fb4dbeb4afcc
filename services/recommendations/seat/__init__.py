"""Where the driver has seat, mirrors and steering wheel, and who may drive."""

"""MAVLink: the codec, the link, the ArduCopter adapter, and the transports."""

"""A simulated ArduCopter that speaks MAVLink 2: what flies where there is no drone.

`simulator.copter.copter.SimCopter` takes bytes and simulated time and gives back bytes;
`python -m simulator.copter` puts it behind UDP or TCP.
"""

"""The drone of a vehicle: the car's signals decide, interlocks allow, an autopilot flies.

The way in: `service` puts all together; `control_loop` turns twenty times a second between the
autopilot's transport and the broker; `conductor` gives the pilot each event, writes down what it
remembers, then lets its effects out; `flight.pilot` decides, and nothing else does.

The seams, which every room knows: `moment`, `geodesy`, `autopilot`, `events`, `view`. The rooms:
`broker` (requests in, words out), `flight` (states), `tasks` (what a flight is for), `rules` (when
the car itself starts one), `interlocks` (what must hold), `airspace` (zones), `mavlink` (the
autopilot), `record` (a flight on disk, decided anew).
"""

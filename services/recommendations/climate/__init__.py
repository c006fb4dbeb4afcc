"""How warm a driver has it in such weather: set-point, fan and seat heating."""

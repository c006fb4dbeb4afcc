"""Run simulated cars: `python -m simulator --bus powertrain=loopback:powertrain`."""

import sys

from internetcar.contract.importing import import_quickly

if __name__ == "__main__":
    sys.exit(import_quickly("simulator.process").main())

"""Run a simulated copter: `python -m simulator.copter --url udpout:127.0.0.1:14550`."""

import sys

from internetcar.contract.importing import import_quickly

if __name__ == "__main__":
    sys.exit(import_quickly("simulator.copter.process").main())

"""The wallet's process, for tests that kill it at the point that `DIE_AT` names."""

import os
import signal
import sys
from pathlib import Path

from services import points
from services.payments.service import main

if __name__ == "__main__":
    fatal = os.environ.get("DIE_AT")
    points.install(lambda point: os.kill(os.getpid(), signal.SIGKILL) if point == fatal else None)
    main(Path(sys.argv[1]))

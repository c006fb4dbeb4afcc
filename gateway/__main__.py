"""`python -m gateway FILE`: the gateway as a process, quickly imported."""

from internetcar.contract.importing import import_quickly

if __name__ == "__main__":
    import_quickly("gateway.process").main()

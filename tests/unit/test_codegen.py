import ast
import math

import pytest

from gateway.codegen import generate, value_expression
from gateway.databases import MessageDefinition, parse_database
from tests import oracle

HOSTILE_KCD = """<NetworkDefinition xmlns="http://kayak.2codeornot2code.org/1.0">
<Document name="x"/><Bus name="B"><Message id="0x123" name="M" length="8">
<Signal name="');exit()#" offset="0" length="8">
<Value slope="0.5" intercept="-3" unit="');exit()#"/></Signal>
<Signal name="&quot;&quot;&quot;+/#" offset="8" length="8"/>
</Message></Bus></NetworkDefinition>"""
NAMES = {
    "bind", "decode", "state", "from_bytes", "merge", "remember", "nowhere", "half", "single",
    "double", "unknown", "payload", "new", "size", "changes", "diff", "len",
}  # fmt: skip


def check_source(source: str) -> None:
    """Only numbers that are finite, and names of our own."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=str() as text):
                assert text in ("little", "big")
            case ast.Constant(value=value):
                assert isinstance(value, int | float) or value is False
                assert math.isfinite(value)
            case ast.Name(id=name) if name.rstrip("0123456789") not in (
                "word",
                "ready",
                "selector",
            ):
                assert name in NAMES
            case ast.Attribute(attr=name):
                assert name in ("previous", "word", "ready", "frames", "pause", "steps", "append")
            case ast.Import() | ast.ImportFrom() | ast.Global():
                pytest.fail(ast.dump(node))


def messages() -> list[MessageDefinition]:
    hostile = parse_database(HOSTILE_KCD, "hostile", "kcd").messages
    names = [name for name in oracle.database_names() if "/formats/" in name or "Model3" in name]
    return [*hostile, *(message for name in names for message in oracle.database(name).messages)]


def test_generated_source_holds_integers_finite_floats_and_indices_only() -> None:
    for message in messages():
        check_source(generate(message.signals, 7).source)


@pytest.mark.parametrize(
    ("scaling", "expression"),
    [
        ("(1,0)", "new & 255"),
        ("(2,0)", "(new & 255) * 2"),
        ("(1,-40)", "(new & 255) + -40"),
        ("(0.5,0)", "(new & 255) * 0.5"),
        ("(-0.5,0)", "(new & 255) * -0.5 + 0"),
        ("(0.5,-40)", "(new & 255) * 0.5 + -40"),
    ],
)
def test_a_value_is_computed_as_by_cantools_and_not_more(scaling: str, expression: str) -> None:
    text = f'BO_ 1 M: 8 X\n SG_ S : 0|8@1+ {scaling} [0|0] "" X\n'
    signal = parse_database(text, "x", "dbc").messages[0].signals[0]
    assert value_expression(signal) == expression


def test_unwanted_signals_are_not_in_the_source() -> None:
    text = "BO_ 1 M: 8 X\n" + "".join(
        f' SG_ S{n} : {8 * n}|8@1+ (1,0) [0|0] "" X\n' for n in range(8)
    )
    signals = parse_database(text, "x", "dbc").messages[0].signals
    program = generate(signals, 100, wanted={103})
    assert [field.index for group in program.groups for field in group.fields] == [103]
    assert "103" in program.source
    assert "102" not in program.source
    assert generate(signals, 100, wanted=()).groups == ()

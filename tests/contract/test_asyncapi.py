"""The AsyncAPI document names every topic once and refers to nothing that is not there."""

import json

from internetcar.contract.asyncapi import document, message_classes


def test_every_message_class_is_a_channel_with_its_topic() -> None:
    channels = document("0")["channels"]
    assert {channel["address"] for channel in channels.values()} == {
        cls.TOPIC for cls in message_classes()
    }


def test_every_reference_leads_somewhere() -> None:
    whole = document("0")
    text = json.dumps(whole)
    references = [part.split('"')[0] for part in text.split('"$ref": "')[1:]]
    assert references
    for reference in references:
        node = whole
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


def test_topic_fields_are_parameters_and_not_in_the_payload() -> None:
    whole = document("0")
    assert set(whole["channels"]["Signal"]["parameters"]) == {"vehicle_id", "path"}
    assert set(whole["components"]["schemas"]["Signal"]["properties"]) == {"value", "at", "quality"}

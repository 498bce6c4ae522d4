"""Prints every message of a topic filter as JSON with the keys of `mosquitto_sub -F %j`."""
import json
import sys

import paho.mqtt.client as mqtt

port, topic_filter = int(sys.argv[1]), sys.argv[2]


def on_connect(client, userdata, flags, return_code):
    client.subscribe(topic_filter, qos=1)


def on_subscribe(client, userdata, message_id, granted):
    print("Subscribed", flush=True)


def on_message(client, userdata, message):
    fields = {"topic": message.topic, "retain": int(message.retain), "payload": message.payload.decode()}
    print(json.dumps(fields), flush=True)


client = mqtt.Client()
client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
client.connect("127.0.0.1", port)
client.loop_forever()

"""Publishes as a tracker would, with Eclipse Paho for Python.

Usage: publish.py host port mqtt3|mqtt5 tcp|websockets
"""
import sys
import paho.mqtt.client as mqtt

host, port, version, transport = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
options = {"client_id": "python", "transport": transport, "protocol": mqtt.MQTTv5 if version == "mqtt5" else mqtt.MQTTv311}
if hasattr(mqtt, "CallbackAPIVersion"):
    options["callback_api_version"] = mqtt.CallbackAPIVersion.VERSION2
client = mqtt.Client(**options)
client.username_pw_set("van", "v4n")
heard = []
client.on_message = lambda _client, _data, message: heard.append(message.payload.decode())
client.connect(host, port)
client.loop_start()
client.subscribe("fleet/acme/van/cmd", qos=1)
for qos in range(3):
    for number in range(50):
        client.publish("fleet/acme/van/fix", "%s %d %d" % (version, qos, number), qos=qos).wait_for_publish(20)
print("published", flush=True)
sys.stdin.readline()  # until the test has sent its command
for _ in range(500):
    if heard:
        break
    import time
    time.sleep(0.01)
print("heard", heard[0] if heard else "nothing", flush=True)
client.disconnect()
client.loop_stop()
